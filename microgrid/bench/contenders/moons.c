/* The moons step written by hand: value and gradient of a whole batch, MLP(2, [16, 16, 1]), relu,
   mean(max(0, 1 - y score)) + 1e-4 sum(p p).  The parameters lie as micrograd's do: for each neuron its
   weights, then its bias; 16 neurons of 2, 16 of 16, 1 of 16.

   Once in plain loops, and once with SIMD: the 16 neurons of a layer in vectors of as many lanes as the
   processor has, several points at once, so that a row of weights is loaded once for them all.  The vectors
   are the extension that GCC and Clang share; nothing in here names a processor but its number of lanes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { M = 16, P1 = 0, P2 = 3 * M, P3 = P2 + M * (M + 1), P = P3 + M + 1 };

#if defined(__AVX512F__)
enum { LANES = 8, POINTS = 5 };
#elif defined(__AVX__)
enum { LANES = 4, POINTS = 2 };
#else /* NEON, SSE2, AltiVec */
enum { LANES = 2, POINTS = 2 };
#endif
enum { Q = M / LANES, CHUNK = 100 }; /* CHUNK points at once: what they leave for the second pass stays in the cache */

typedef double vec __attribute__((vector_size(8 * LANES)));
typedef int64_t mask __attribute__((vector_size(8 * LANES)));
#define INLINE static inline __attribute__((always_inline))
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

typedef struct {
  long n, padded;        /* points; the same, up to a multiple of POINTS */
  double *x0, *x1, *one, *y; /* columns; y over n; one is 0 for a point that only pads */
} Batch;

Batch *moons_new(long n, const double *X, const double *y) {
  long padded = (n + POINTS - 1) / POINTS * POINTS;
  Batch *b = malloc(sizeof *b);
  b->n = n, b->padded = padded, b->x0 = calloc(4 * padded, 8);
  b->x1 = b->x0 + padded, b->one = b->x1 + padded, b->y = b->one + padded;
  for (long s = 0; s < n; s++) b->x0[s] = X[2 * s], b->x1[s] = X[2 * s + 1], b->one[s] = 1, b->y[s] = y[s];
  return b;
}

void moons_free(Batch *b) { free(b->x0), free(b); }

/* -------- plain loops, a point at a time */

static double plain(const Batch *b, const double *p, double *g) {
  const double *p1 = p + P1, *p2 = p + P2, *p3 = p + P3;
  double *g1 = g + P1, *g2 = g + P2, *g3 = g + P3, loss = 0, squares = 0;
  for (int k = 0; k < P; k++) squares += p[k] * p[k];
  if (g) for (int k = 0; k < P; k++) g[k] = 2e-4 * p[k];
  for (long s = 0; s < b->n; s++) {
    double x0 = b->x0[s], x1 = b->x1[s], h1[M], h2[M], d1[M] = {0}, score = p3[M];
    for (int j = 0; j < M; j++) {
      double z = p1[3 * j] * x0 + p1[3 * j + 1] * x1 + p1[3 * j + 2];
      h1[j] = z > 0 ? z : 0;
    }
    for (int j = 0; j < M; j++) {
      const double *w = p2 + (M + 1) * j;
      double z = w[M];
      for (int i = 0; i < M; i++) z += w[i] * h1[i];
      h2[j] = z > 0 ? z : 0;
      score += p3[j] * h2[j];
    }
    double margin = 1 - b->y[s] * score, d = -b->y[s] / b->n;
    if (!(margin > 0)) continue;
    loss += margin;
    if (!g) continue;
    g3[M] += d;
    for (int j = 0; j < M; j++) {
      if (!(h2[j] > 0)) continue;
      const double *w = p2 + (M + 1) * j;
      double *gw = g2 + (M + 1) * j, dz = d * p3[j];
      g3[j] += d * h2[j], gw[M] += dz;
      for (int i = 0; i < M; i++) gw[i] += dz * h1[i], d1[i] += dz * w[i];
    }
    for (int j = 0; j < M; j++)
      if (h1[j] > 0) g1[3 * j] += d1[j] * x0, g1[3 * j + 1] += d1[j] * x1, g1[3 * j + 2] += d1[j];
  }
  return loss / b->n + 1e-4 * squares;
}

/* -------- SIMD */

typedef struct { vec w10[Q], w11[Q], b1[Q], w2t[M][Q], w2[M][Q], b2[Q], w3[Q]; double b3; } Weights;
typedef struct { vec w10[Q], w11[Q], b1[Q], w2[M][Q], b2[Q], w3[Q]; double b3, loss; } Sums;

INLINE vec all(double x) { return x - (vec){0}; }
INLINE vec where(mask m, vec x) { return (vec)(m & (mask)x); }
INLINE vec relu(vec x) { return where(x > 0, x); }
INLINE double total(vec x) {
  union { vec v; double d[LANES]; } u = {x};
  for (int half = LANES / 2; half; half /= 2) EACH(i, half) u.d[i] += u.d[i + half];
  return u.d[0];
}

INLINE void pack(const double *p, Weights *w) {
  double *w10 = (double *)w->w10, *w11 = (double *)w->w11, *b1 = (double *)w->b1, *b2 = (double *)w->b2;
  double *w2 = (double *)w->w2, *w2t = (double *)w->w2t;
  for (int j = 0; j < M; j++) {
    const double *row = p + P2 + (M + 1) * j;
    w10[j] = p[3 * j], w11[j] = p[3 * j + 1], b1[j] = p[3 * j + 2], b2[j] = row[M];
    memcpy(w2 + M * j, row, 8 * M);
    for (int i = 0; i < M; i++) w2t[M * i + j] = row[i];
  }
  memcpy(w->w3, p + P3, 8 * M);
  w->b3 = p[P3 + M];
}

/* z[k] += x[k] of each of M inputs times its row of w, for POINTS points. */
INLINE void rows_times(const double *x, const vec (*w)[Q], vec z[POINTS][Q]) {
  for (int i = 0; i < M; i++) EACH(k, POINTS) {
    vec xi = all(x[M * k + i]);
    EACH(q, Q) z[k][q] += xi * w[i][q];
  }
}

INLINE void points(const Batch *b, const Weights *w, long from, long to, int backward, Sums *sums) {
  const vec zero = {0};
  vec h1[CHUNK][Q], d2[CHUNK][Q], g10[Q], g11[Q], gb1[Q], gb2[Q], g3[Q];
  EACH(q, Q) g10[q] = g11[q] = gb1[q] = gb2[q] = g3[q] = zero;
  double loss = 0, gb3 = 0;
  for (long s = from; s < to; s += POINTS) {
    const double *x0 = b->x0 + s, *x1 = b->x1 + s;
    vec (*h)[Q] = h1 + (s - from), (*d)[Q] = d2 + (s - from), z[POINTS][Q], kept[POINTS][Q];
    EACH(k, POINTS) EACH(q, Q) {
      h[k][q] = kept[k][q] = relu(w->b1[q] + all(x0[k]) * w->w10[q] + all(x1[k]) * w->w11[q]);
      z[k][q] = w->b2[q];
    }
    rows_times((const double *)h, w->w2t, z);
    EACH(k, POINTS) {
      vec products = zero;
      EACH(q, Q) z[k][q] = relu(z[k][q]), products += z[k][q] * w->w3[q];
      double y = b->y[s + k], margin = b->one[s + k] - y * (w->b3 + total(products)), down = margin > 0 ? -y : 0;
      loss += margin > 0 ? margin : 0;
      if (!backward) continue;
      gb3 += down;
      EACH(q, Q) {
        vec dz = where(z[k][q] > 0, all(down) * w->w3[q]);
        g3[q] += all(down) * z[k][q], gb2[q] += dz;
        d[k][q] = dz, z[k][q] = zero;
      }
    }
    if (!backward) continue;
    rows_times((const double *)d, w->w2, z);
    EACH(k, POINTS) EACH(q, Q) {
      vec dz = where(kept[k][q] > 0, z[k][q]);
      gb1[q] += dz, g10[q] += dz * all(x0[k]), g11[q] += dz * all(x1[k]);
    }
  }
  sums->loss += loss;
  if (!backward) return;
  sums->b3 += gb3;
  EACH(q, Q) sums->w10[q] += g10[q], sums->w11[q] += g11[q], sums->b1[q] += gb1[q], sums->b2[q] += gb2[q], sums->w3[q] += g3[q];
  enum { ROWS = LANES };
  for (int j = 0; j < M; j += ROWS) { /* the M x M weights: the sums of ROWS of their rows stay in registers */
    vec g[ROWS][Q];
    EACH(r, ROWS) EACH(q, Q) g[r][q] = sums->w2[j + r][q];
    for (long s = 0; s < to - from; s++) EACH(r, ROWS) EACH(q, Q) g[r][q] += all(((const double *)d2[s])[j + r]) * h1[s][q];
    EACH(r, ROWS) EACH(q, Q) sums->w2[j + r][q] = g[r][q];
  }
}

INLINE double simd(const Batch *b, const double *p, double *g) {
  Weights w;
  Sums sums;
  memset(&sums, 0, sizeof sums);
  pack(p, &w);
  for (long s = 0; s < b->padded; s += CHUNK) points(b, &w, s, s + CHUNK < b->padded ? s + CHUNK : b->padded, g != 0, &sums);
  double squares = 0, partial[8] = {0}, part = 1.0 / b->n;
  for (int k = 0; k < P / 8 * 8; k += 8) for (int l = 0; l < 8; l++) partial[l] += p[k + l] * p[k + l];
  for (int l = 0; l < 8; l++) squares += partial[l];
  for (int k = P / 8 * 8; k < P; k++) squares += p[k] * p[k];
  if (g) {
    const double *w10 = (double *)sums.w10, *w11 = (double *)sums.w11, *b1 = (double *)sums.b1, *b2 = (double *)sums.b2;
    for (int j = 0; j < M; j++) {
      double *row = g + P2 + (M + 1) * j;
      g[3 * j] = w10[j], g[3 * j + 1] = w11[j], g[3 * j + 2] = b1[j], row[M] = b2[j];
      memcpy(row, sums.w2[j], 8 * M);
    }
    memcpy(g + P3, sums.w3, 8 * M);
    g[P3 + M] = sums.b3;
    for (int k = 0; k < P; k++) g[k] = part * g[k] + 2e-4 * p[k];
  }
  return part * sums.loss + 1e-4 * squares;
}

double moons_plain(const Batch *b, const double *p, double *g) { return plain(b, p, g); }
double moons_plain_forward(const Batch *b, const double *p) { return plain(b, p, 0); }
double moons_simd(const Batch *b, const double *p, double *g) { return simd(b, p, g); }
double moons_simd_forward(const Batch *b, const double *p) { return simd(b, p, 0); }

/* The same by several threads, each with points of its own; their means, weighed, are the mean of all. */
double moons_threads(Batch *const *parts, long count, const double *p, double *g) {
  double values[count], slopes[count][P], value = 0, n = 0;
#pragma omp parallel for schedule(static, 1) num_threads(count)
  for (long i = 0; i < count; i++) values[i] = simd(parts[i], p, g ? slopes[i] : 0);
  if (g) memset(g, 0, 8 * P);
  for (long i = 0; i < count; i++) n += parts[i]->n;
  for (long i = 0; i < count; i++) {
    value += parts[i]->n / n * values[i];
    if (g) for (int k = 0; k < P; k++) g[k] += parts[i]->n / n * slopes[i][k];
  }
  return value;
}

/* So many calls without Python between them. */
void moons_repeat(long calls, double (*f)(const Batch *, const double *, double *), const Batch *b, const double *p, double *g) {
  for (long i = 0; i < calls; i++) f(b, p, g);
}
