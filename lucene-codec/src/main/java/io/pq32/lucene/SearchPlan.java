package io.pq32.lucene;

import io.pq32.quantization.PqKernels;

/** How is one segment searched? */
sealed interface SearchPlan {
  /** How much wider the next walk is at most. At eight, the walks before cost a seventh of it. */
  int MAX_GROWTH = 8;

  /** Every accepted vector is scored on its floats. */
  record ExactScan() implements SearchPlan {}

  /** Candidates are found by their codes and reranked. */
  sealed interface OnCodes extends SearchPlan {}

  /** Codes are scanned in blocks, those nearest to the query first. */
  record CodeScan() implements OnCodes {}

  /** The accepted codes are scored, and no others unless they share a block with one. */
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
   * @param row scoring one code of its own, or finding the ordinal of a code and looking at whether
   *     it is accepted
   * @param node finding the node of an ordinal where codes lie in blocks
   * @param expansion expanding a node: reading its list and scoring what is new of it
   */
  record Costs(int exact, int table, int row, int node, int expansion) {
    /** At 768 dimensions, where a scanned code takes 1.3 ns. */
    static final Costs MEASURED = new Costs(200, 10_000, 6, 12, 500);
  }

  /** Accepted codes that enter the list of a scan: three depths fill it. */
  long LOOKUPS_PER_DEPTH = 5;

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
      case BLOCKS -> {
        long scan = size + lookups(size, accepted, depth) * costs.row;
        long masked =
            (long) accepted * costs.node + Math.min(size, (long) accepted * PqKernels.BLOCK_SIZE);
        if (exact <= rerank + Math.min(scan, masked)) {
          yield new ExactScan();
        }
        yield masked < scan ? new RowScan() : new CodeScan();
      }
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

  /**
   * Codes of which a scan asks whether they are accepted: all until its list is full, then those
   * that compete.
   */
  private static long lookups(int size, int accepted, int depth) {
    return accepted == size ? 0 : Math.min(size, LOOKUPS_PER_DEPTH * depth * size / accepted);
  }

  /**
   * Chooses how to go on after a walk that did not find enough: where the filter keeps out what is
   * near the query, or the collector wants more. Wider by what the rate of accepted nodes says, but
   * by no more than {@value #MAX_GROWTH}: that rate is the one near the query. All walks together
   * never cost more than the scan that they avoid, so whatever the filter, a search costs at most
   * twice what scoring the accepted codes does.
   *
   * @param costs to compare by
   * @param size nodes of the graph
   * @param accepted vectors that a search may return, at least 1
   * @param walked nodes that were to be expanded, over all walks
   * @param width nodes that the last one was to expand
   * @param met accepted ones among them
   * @param wanted how many there should have been
   */
  static OnCodes afterWalk(
      Costs costs, int size, int accepted, long walked, int width, int met, int wanted) {
    long fitting = Math.ceilDiv((long) width * wanted, Math.max(1, met));
    long wider = Math.min(size, Math.clamp(fitting, 2L * width, (long) MAX_GROWTH * width));
    return width < size && worthWalking(costs, walked + wider, accepted)
        ? new GraphWalk((int) wider)
        : new RowScan();
  }

  /** Whether expanding so many nodes costs less than scoring all accepted codes. */
  private static boolean worthWalking(Costs costs, long width, int accepted) {
    return width * costs.expansion < (long) accepted * costs.row;
  }
}
