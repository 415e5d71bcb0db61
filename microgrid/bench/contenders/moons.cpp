// The moons step on CoDiPack's tapes.  CoDiPack is not part of this project: it is included from where it is.
#include <codi.hpp>
#include <cstddef>
#include <vector>

namespace {

constexpr int M = 16, P = 3 * M + M * (M + 1) + M + 1;
using Once = codi::RealReverse;         // a tape of derivatives, written anew in each step
using Again = codi::RealReversePrimal;  // a tape of operations, written once and run again for other numbers

struct Batch {
  std::vector<double> x, y;
  std::vector<Again> p;
  Again value;
};

// std::max would decide once for all, when the tape is written.
template <typename Real> Real relu(Real const& z) { return codi::max(z, 0.0); }
template <> double relu(double const& z) { return z > 0.0 ? z : 0.0; }

template <typename Real> Real loss(Batch const& b, Real const* p) {
  Real sum = 0.0, squares = 0.0;
  for (std::size_t s = 0; s < b.y.size(); ++s) {
    Real h[M], score = p[P - 1];
    for (int j = 0; j < M; ++j) h[j] = relu<Real>(p[3 * j] * b.x[2 * s] + p[3 * j + 1] * b.x[2 * s + 1] + p[3 * j + 2]);
    for (int j = 0; j < M; ++j) {
      Real const* w = p + 3 * M + (M + 1) * j;
      Real z = w[M];
      for (int i = 0; i < M; i += 4) z += w[i] * h[i] + w[i + 1] * h[i + 1] + w[i + 2] * h[i + 2] + w[i + 3] * h[i + 3];
      score += p[P - 1 - M + j] * relu<Real>(z);
    }
    sum += relu<Real>(1.0 - b.y[s] * score);
  }
  for (int k = 0; k < P; ++k) squares += p[k] * p[k];
  return sum / double(b.y.size()) + 1e-4 * squares;
}

Batch* recorded = nullptr;  // one tape lies in the process, so it is written again when other points come

void record(Batch* b) {
  auto& tape = Again::getTape();
  tape.reset();
  tape.setActive();
  for (auto& p : b->p) tape.registerInput(p);
  b->value = loss(*b, b->p.data());
  tape.registerOutput(b->value);
  tape.setPassive();
  recorded = b;
}

}  // namespace

extern "C" {

double moons_again_forward(Batch* b, double const* p) {
  if (recorded != b) record(b);
  auto& tape = Again::getTape();
  for (int k = 0; k < P; ++k) tape.primal(b->p[k].getIdentifier()) = p[k];
  tape.evaluatePrimal();
  return tape.primal(b->value.getIdentifier());
}

Batch* moons_new(long n, double const* X, double const* y) {
  return new Batch{{X, X + 2 * n}, {y, y + n}, std::vector<Again>(P, Again(0.5)), Again(0.0)};
}

void moons_free(Batch* b) {
  if (recorded == b) recorded = nullptr;
  delete b;
}

double moons_once(Batch* b, double const* p, double* g) {
  static std::vector<Once> own(P);
  auto& tape = Once::getTape();
  tape.reset();
  tape.setActive();
  for (int k = 0; k < P; ++k) own[k] = p[k], tape.registerInput(own[k]);
  Once value = loss(*b, own.data());
  tape.registerOutput(value);
  tape.setPassive();
  value.setGradient(1.0);
  tape.evaluate();
  for (int k = 0; k < P; ++k) g[k] = own[k].getGradient();
  return value.getValue();
}

double moons_again(Batch* b, double const* p, double* g) {
  double value = moons_again_forward(b, p);
  auto& tape = Again::getTape();
  tape.clearAdjoints();
  tape.gradient(b->value.getIdentifier()) = 1.0;
  tape.evaluate();
  for (int k = 0; k < P; ++k) g[k] = tape.getGradient(b->p[k].getIdentifier());
  return value;
}

double moons_once_forward(Batch* b, double const* p) { return loss<double>(*b, p); }
}
