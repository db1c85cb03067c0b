package io.pq32.lucene;

/**
 * A graph in memory while it is built: fixed rows of links in pages, {@code 4 x (1 + slack degree)}
 * bytes per node.
 */
final class BuiltGraph implements Adjacency {
  private static final int PAGE_BITS = 12;
  private static final int PAGE_MASK = (1 << PAGE_BITS) - 1;

  private final int stride;
  private final int[][] pages; // [page][node in page][count, neighbors...]

  BuiltGraph(int size, int slackDegree) {
    stride = slackDegree + 1;
    pages = new int[Math.ceilDiv(size, 1 << PAGE_BITS)][];
    for (int page = 0; page < pages.length; page++) {
      int nodes = Math.min(1 << PAGE_BITS, size - (page << PAGE_BITS));
      pages[page] = new int[nodes * stride];
    }
  }

  @Override
  public int maxDegree() {
    return stride - 1;
  }

  @Override
  public int neighbors(int node, int[] out) {
    int[] page = pages[node >>> PAGE_BITS];
    int row = (node & PAGE_MASK) * stride;
    int count = page[row];
    System.arraycopy(page, row + 1, out, 0, count);
    return count;
  }

  int degree(int node) {
    return pages[node >>> PAGE_BITS][(node & PAGE_MASK) * stride];
  }

  /** Replaces the neighbors of a node. */
  void set(int node, int[] neighbors, int count) {
    int[] page = pages[node >>> PAGE_BITS];
    int row = (node & PAGE_MASK) * stride;
    page[row] = count;
    System.arraycopy(neighbors, 0, page, row + 1, count);
  }
}
