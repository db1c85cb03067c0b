package io.pq32.lucene;

/** How is one segment searched? */
sealed interface SearchPlan {
  /** Every accepted vector is scored on its floats. */
  record ExactScan() implements SearchPlan {}

  /** Candidates are found by their codes and reranked. */
  sealed interface OnCodes extends SearchPlan {}

  /** All codes are scanned, in blocks. */
  record CodeScan() implements OnCodes {}

  /** The accepted codes are scored one by one. */
  record RowScan() implements OnCodes {}

  /**
   * The graph is walked.
   *
   * @param width nodes expanded at first
   */
  record GraphWalk(int width) implements OnCodes {}

  // What things cost, in codes scanned in a block (1.3 ns each), measured at 768 dimensions.

  /** Scoring a vector on its floats. */
  int EXACT_COST = 100;

  /** Building a query's table. */
  int TABLE_COST = 10_000;

  /** Scoring one code of its own. */
  int ROW_COST = 6;

  /** Expanding a node: reading its list and scoring what is new of it. */
  int EXPANSION_COST = 500;

  /** How the codes of a segment lie, if it has any. */
  enum Codes {
    NONE,
    BLOCKS,
    GRAPH
  }

  /**
   * Chooses the cheapest plan that keeps the promise of k hits and their recall.
   *
   * @param size vectors of the segment
   * @param accepted those that a search may return, at least 1
   * @param k hits wanted
   */
  static SearchPlan of(Codes codes, int size, int accepted, int k) {
    int depth = Reranker.depth(k);
    long exact = (long) accepted * EXACT_COST;
    long rerank = TABLE_COST + (long) Math.min(depth, accepted) * EXACT_COST;
    return switch (codes) {
      case NONE -> new ExactScan();
      case BLOCKS -> exact <= rerank + size ? new ExactScan() : new CodeScan();
      case GRAPH -> {
        // A walk meets accepted nodes at the rate they have in the segment.
        int width = (int) Math.min(size, Math.ceilDiv((long) depth * size, accepted));
        if (worthWalking(width, accepted)) {
          yield new GraphWalk(width);
        }
        yield exact <= rerank + (long) accepted * ROW_COST ? new ExactScan() : new RowScan();
      }
    };
  }

  /** Whether expanding so many nodes costs less than scoring all accepted codes. */
  static boolean worthWalking(int width, int accepted) {
    return (long) width * EXPANSION_COST < (long) accepted * ROW_COST;
  }
}
