package io.pq32.lucene;

/** How is one segment searched? */
sealed interface SearchPlan {
  /** Every accepted vector is scored on its floats. */
  record ExactScan() implements SearchPlan {}

  /** Candidates are found by their codes and reranked. */
  sealed interface OnCodes extends SearchPlan {}

  /** Codes are scanned in blocks, those nearest to the query first. */
  record CodeScan() implements OnCodes {}

  /** The accepted codes are scored one by one. */
  record RowScan() implements OnCodes {}

  /**
   * The graph is walked.
   *
   * @param width nodes expanded at first
   */
  record GraphWalk(int width) implements OnCodes {}

  /**
   * What things cost, in codes scanned in a block.
   *
   * @param exact scoring a vector on its floats
   * @param table building a query's table
   * @param row scoring one code of its own
   * @param expansion expanding a node: reading its list and scoring what is new of it
   */
  record Costs(int exact, int table, int row, int expansion) {
    /** At 768 dimensions, where a scanned code takes 1.3 ns. */
    static final Costs MEASURED = new Costs(100, 10_000, 6, 500);
  }

  /** How the codes of a segment lie, if it has any. */
  enum Codes {
    NONE,
    BLOCKS,
    GRAPH
  }

  /**
   * Chooses the cheapest plan that keeps the promise of k hits and their recall.
   *
   * @param costs to compare by
   * @param size vectors of the segment
   * @param accepted those that a search may return, at least 1
   * @param k hits wanted
   */
  static SearchPlan of(Costs costs, Codes codes, int size, int accepted, int k) {
    int depth = Reranker.depth(k);
    long exact = (long) accepted * costs.exact;
    long rerank = costs.table + (long) Math.min(depth, accepted) * costs.exact;
    return switch (codes) {
      case NONE -> new ExactScan();
      case BLOCKS -> exact <= rerank + size ? new ExactScan() : new CodeScan();
      case GRAPH -> {
        // A walk meets accepted nodes at the rate they have in the segment.
        int width = (int) Math.min(size, Math.ceilDiv((long) depth * size, accepted));
        if (worthWalking(costs, width, accepted)) {
          yield new GraphWalk(width);
        }
        yield exact <= rerank + (long) accepted * costs.row ? new ExactScan() : new RowScan();
      }
    };
  }

  /** Whether expanding so many nodes costs less than scoring all accepted codes. */
  static boolean worthWalking(Costs costs, int width, int accepted) {
    return (long) width * costs.expansion < (long) accepted * costs.row;
  }
}
