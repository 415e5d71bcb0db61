/* The expression of micrograd's README, with its gradient by hand. */
double expression(const double *p, double *g) {
  double a = p[0], b = p[1];
  double c0 = a + b, c1 = c0 + (c0 + 1), c = c1 + (1 + c1 - a);
  double r1 = b + a > 0 ? b + a : 0, r2 = b - a > 0 ? b - a : 0;
  double d0 = a * b + b * b * b, d1 = d0 + (d0 * 2 + r1), d = d1 + (3 * d1 + r2), e = c - d, f = e * e;
  double ge = (0.5 - 10 / (f * f)) * 2 * e, gd0 = -12 * ge, gr1 = r1 > 0 ? -4 * ge : 0, gr2 = r2 > 0 ? -ge : 0;
  g[0] = 3 * ge + gr1 - gr2 + gd0 * b;             /* c = 4 (a + b) - a + 3, d = 12 d0 + 4 r1 + r2 */
  g[1] = 4 * ge + gr1 + gr2 + gd0 * (a + 3 * b * b);
  return f / 2 + 10 / f;
}

void expression_repeat(long calls, const double *p, double *g) {
  double (*volatile f)(const double *, double *) = expression;
  for (long i = 0; i < calls; i++) f(p, g);
}
