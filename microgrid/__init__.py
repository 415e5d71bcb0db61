"""microgrid: a scalar reverse-mode automatic differentiation engine to learn from.

    import microgrid as mg

In reading order: `engine` (the lesson), `functions`, `calculus`, `nn`; then what stands
on them: `pictures`, `training`.
"""
