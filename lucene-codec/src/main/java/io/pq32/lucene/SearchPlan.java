package io.pq32.lucene;

/** How is one segment searched? */
sealed interface SearchPlan {
  /** Every accepted vector is scored on its floats. */
  record ExactScan() implements SearchPlan {}

  /**
   * All codes are scanned, the most promising are reranked.
   *
   * @param depth candidates always reranked
   */
  record CodeScan(int depth) implements SearchPlan {}

  /**
   * What scoring one vector on its floats costs, in scanned codes: 130 ns against 1.3 ns at 768-d.
   */
  int EXACT_COST = 100;

  /** What building a query's table costs, in scanned codes: 13 us. */
  int TABLE_COST = 10_000;

  /**
   * Chooses the cheapest plan that keeps the promise of k hits and their recall.
   *
   * @param quantized whether the segment has codes
   * @param size vectors of the segment
   * @param accepted those a search may return
   * @param k hits wanted
   */
  static SearchPlan of(boolean quantized, int size, int accepted, int k) {
    if (!quantized) {
      return new ExactScan();
    }
    int depth = Reranker.depth(k);
    long exact = (long) accepted * EXACT_COST;
    long codes = TABLE_COST + size + (long) Math.min(depth, accepted) * EXACT_COST;
    return exact <= codes ? new ExactScan() : new CodeScan(depth);
  }
}
