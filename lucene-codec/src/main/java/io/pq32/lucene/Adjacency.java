package io.pq32.lucene;

import java.io.IOException;

/** The links of a graph that is being built or read. */
interface Adjacency {
  /**
   * Copies the neighbors of a node.
   *
   * @param out has room for {@link #maxDegree()}
   * @return how many there are
   */
  int neighbors(int node, int[] out) throws IOException;

  /** Most neighbors of a node. */
  int maxDegree();
}
