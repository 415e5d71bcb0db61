"""The schedules, against their formulas in fractions, and PyTorch's schedulers."""

import json
import math
import random
import warnings
from fractions import Fraction

import pytest
from refusals import refusal

from microgrid.training.schedules import (
    constant,
    cosine,
    exponential,
    linear,
    reduce_on_plateau,
    step_decay,
    warmup,
)

EPOCHS = 60


def rates(schedule, epochs=EPOCHS):
    return [schedule(t) for t in range(epochs)]


def test_micrograd_s_recipe_to_the_last_bit():
    assert rates(linear(1.0, 0.1, 100), 100) == [1.0 - 0.9 * k / 100 for k in range(100)]


def test_schedules_are_their_formulas_in_fractions():
    half, third = Fraction(1, 2), Fraction(1, 3)
    assert rates(constant(0.3)) == [0.3] * EPOCHS
    exact = [3 * half ** (t // 7) for t in range(EPOCHS)]
    assert rates(step_decay(3, every=7, factor=0.5)) == exact
    assert rates(exponential(3, 0.5)) == [3 * half**t for t in range(EPOCHS)]
    line = [3 + (third - 3) * min(t, 50) / 50 for t in range(EPOCHS)]
    assert rates(linear(3.0, 1 / 3, 50)) == pytest.approx([float(x) for x in line], rel=1e-14)
    ramp = [line[0] * Fraction(t + 1, 8) if t < 8 else line[t - 8] for t in range(EPOCHS)]
    assert rates(warmup(linear(3.0, 1 / 3, 50), 8)) == pytest.approx([float(x) for x in ramp], rel=1e-14)


def test_cosine_has_its_known_points_and_stays_at_the_end():
    schedule = cosine(3.0, 1.0, over=12)
    known = {0: 3.0, 2: 2 + math.sqrt(3) / 2, 3: 2 + math.sqrt(0.5), 4: 2.5, 6: 2.0, 8: 1.5, 12: 1.0, 13: 1.0, 99: 1.0}
    assert {t: schedule(t) for t in known} == pytest.approx(known, rel=1e-15)


def test_the_ends_are_exact():
    assert linear(0.7, 0.1, 3)(3) == cosine(0.7, 0.1, 3)(3) == 0.1
    assert linear(0.7, 0.1, 3)(0) == 0.7
    assert warmup(constant(0.7), 3)(2) == pytest.approx(0.7, rel=1e-15)
    assert warmup(constant(0.7), 1)(0) == 0.7


def plateau_by_hand(losses):
    """patience 2, factor 1/10, from 1: each epoch that is no better counts, the third one cuts."""
    rates, rate, best, bad = [], 1.0, float("inf"), 0
    for loss in losses:
        rates.append(rate)
        better = loss < best * (1 - 1e-4)
        bad = 0 if better else bad + 1
        best = loss if better else best
        if bad == 3:
            rate, bad = rate / 10, 0
    return rates


def test_a_plateau_lowers_the_rate_after_more_than_patience_epochs():
    losses = [5.0, 4.0, 4.0, 4.0, 3.0, 3.0, 2.9999, 3.1, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    schedule = reduce_on_plateau(1.0, patience=2)
    found = [schedule(t, losses[:t]) for t in range(len(losses))]
    assert found == pytest.approx([1.0] * 8 + [0.1] * 5 + [0.01] * 3, rel=1e-15)
    assert found == pytest.approx(plateau_by_hand(losses), rel=1e-15)


def test_an_improvement_is_one_by_a_share_of_the_best():
    schedule = reduce_on_plateau(1.0, factor=0.5, patience=0, threshold=0.01)
    assert schedule(2, [100.0, 99.5]) == 0.5  # less than a hundredth
    assert schedule(2, [100.0, 98.5]) == 1.0
    assert schedule(2, [1e-3, 9.8e-4]) == 1.0  # a small one, but more than a hundredth


def noisy_losses(seed):
    rng = random.Random(seed)
    return [max(1.0, 5 - 0.2 * t) + rng.gauss(0, 0.05) for t in range(300)]


def test_a_plateau_needs_no_state_a_resumed_run_goes_on_as_before():
    losses = noisy_losses(0)
    whole = reduce_on_plateau(0.5, factor=0.5, patience=3)
    expected = [whole(t, losses[:t]) for t in range(300)]
    assert len(set(expected)) > 5
    resumed = reduce_on_plateau(0.5, factor=0.5, patience=3)
    kept = json.loads(json.dumps(losses[:100]))
    assert [resumed(t, kept + losses[100:t]) for t in range(100, 300)] == expected[100:]
    assert [whole(t, losses) for t in reversed(range(300))] == expected[::-1]  # any order; later losses don't count


def test_a_loss_that_is_nan_is_no_improvement():
    schedule = reduce_on_plateau(1.0, factor=0.5, patience=0)
    assert [schedule(t, [1.0, math.nan, 0.5]) for t in range(4)] == [1.0, 1.0, 0.5, 0.5]


def torch_rates(torch, make, lr, losses=None):
    """The learning rate of PyTorch's optimizer at each epoch, under its scheduler."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler, found = make(optimizer), []
    for t in range(len(losses or range(EPOCHS))):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([losses[t]] if losses else []))
    return found


def test_schedules_agree_with_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    theirs = torch.optim.lr_scheduler

    def warm(then):
        def make(o):
            ramp = theirs.LinearLR(o, start_factor=1 / 8, total_iters=7)
            return theirs.SequentialLR(o, [ramp, then(o)], milestones=[8])

        return make

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR calls its parts in a way that they warn of
        for ours, lr, make in [
            (constant(0.3), 0.3, lambda o: theirs.ConstantLR(o, factor=1.0)),
            (step_decay(0.3, 7), 0.3, lambda o: theirs.StepLR(o, 7)),
            (step_decay(0.3, 7, 0.5), 0.3, lambda o: theirs.StepLR(o, 7, 0.5)),
            (exponential(0.3, 0.9), 0.3, lambda o: theirs.ExponentialLR(o, 0.9)),
            (linear(0.3, 0.03, 50), 0.3, lambda o: theirs.LinearLR(o, 1.0, 0.1, 50)),
            (linear(0.1, 0.4, 50), 0.4, lambda o: theirs.LinearLR(o, 0.25, 1.0, 50)),
            (cosine(0.3, 0.01, EPOCHS), 0.3, lambda o: theirs.CosineAnnealingLR(o, EPOCHS, 0.01)),
            (warmup(step_decay(0.3, 7), 8), 0.3, warm(lambda o: theirs.StepLR(o, 7))),
            (warmup(cosine(0.3, 0.0, EPOCHS), 8), 0.3, warm(lambda o: theirs.CosineAnnealingLR(o, EPOCHS))),
        ]:
            assert rates(ours) == pytest.approx(torch_rates(torch, make, lr), rel=1e-12, abs=1e-12)


def test_the_plateau_agrees_with_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    for seed in range(10):
        losses = noisy_losses(seed)
        for options in (
            {},
            {"factor": 0.5, "patience": 3},
            {"factor": 0.0, "patience": 5},
            {"factor": 0.7, "patience": 0, "threshold": 0.01},
            {"factor": 0.9, "patience": 2, "threshold": 0.0},
        ):
            schedule = reduce_on_plateau(0.3, **options)
            found = [schedule(t, losses[:t]) for t in range(300)]

            def make(o, options=options):
                return torch.optim.lr_scheduler.ReduceLROnPlateau(o, **options)

            expected = torch_rates(torch, make, 0.3, losses)
            assert found == pytest.approx(expected, rel=1e-12)


def test_a_fall_of_almost_nothing_is_not_made():
    schedule = reduce_on_plateau(1.0, factor=0.1, patience=0)
    found = [schedule(t, [1.0] * t) for t in range(20)]
    assert found[:9] == pytest.approx([1.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7], rel=1e-12)
    assert found[9:] == pytest.approx([1e-8] * 11, rel=1e-12)


def test_bad_input_is_refused_in_words():
    for call, message in [
        (lambda: constant(-1), "constant(lr=-1): lr has to be a number of 0 or more"),
        (lambda: step_decay(0.1, 0), "step_decay(every=0): every has to be a whole number of epochs, 1 or more"),
        (lambda: step_decay(0.1, 2.5), "step_decay(every=2.5): every has to be a whole number of epochs, 1 or more"),
        (lambda: step_decay(0.1, 3, -1), "step_decay(factor=-1): factor has to be a number of 0 or more"),
        (lambda: exponential(0.1, math.nan), "exponential(factor=nan): factor has to be a number of 0 or more"),
        (lambda: linear(0.1, "0", 9), "linear(end='0'): end has to be a number of 0 or more"),
        (lambda: linear(-0.1, 0, 9), "linear(start=-0.1): start has to be a number of 0 or more"),
        (lambda: cosine(0.1, 0.0, 0), "cosine(over=0): over has to be a whole number of epochs, 1 or more"),
        (lambda: warmup(constant(1), 0), "warmup(over=0): over has to be a whole number of epochs, 1 or more"),
        (lambda: reduce_on_plateau(1, 1.0), "reduce_on_plateau(factor=1.0): factor has to be below 1, as in 0.1"),
        (
            lambda: reduce_on_plateau(1, patience=-1),
            "reduce_on_plateau(patience=-1): patience has to be a whole number of epochs, 0 or more",
        ),
        (
            lambda: reduce_on_plateau(1, threshold=-1),
            "reduce_on_plateau(threshold=-1): threshold has to be a number of 0 or more",
        ),
    ]:
        assert refusal(ValueError, call) == message
    assert refusal(TypeError, lambda: warmup(0.1, 5)) == (
        "warmup takes a schedule, as in warmup(constant(0.1), 5), not 0.1"
    )
    assert refusal(TypeError, lambda: warmup(reduce_on_plateau(0.1), 5)).startswith(
        "warmup takes a function of the epoch alone, as cosine(...) gives one: "
    )
