package io.pq32.lucene;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.hnsw.HnswGraph;

/** A graph as Lucene's tools see it: one level, whose nodes are ordinals. Used by one thread. */
final class OrdGraph extends HnswGraph {
  private final MappedGraph graph;
  private final int[] neighbors;
  private int count;
  private int next;

  OrdGraph(MappedGraph graph) {
    this.graph = graph;
    this.neighbors = new int[graph.maxDegree()];
  }

  @Override
  public void seek(int level, int target) throws IOException {
    count = graph.neighbors(graph.node(target), neighbors);
    for (int i = 0; i < count; i++) {
      neighbors[i] = graph.ord(neighbors[i]);
    }
    Arrays.sort(neighbors, 0, count);
    next = 0;
  }

  @Override
  public int size() {
    return graph.meta().size();
  }

  @Override
  public int nextNeighbor() {
    return next < count ? neighbors[next++] : DocIdSetIterator.NO_MORE_DOCS;
  }

  @Override
  public int neighborCount() {
    return count;
  }

  @Override
  public int numLevels() {
    return 1;
  }

  @Override
  public int maxConn() {
    return graph.meta().maxConn();
  }

  @Override
  public int entryNode() throws IOException {
    return graph.ord(0);
  }

  @Override
  public NodesIterator getNodesOnLevel(int level) {
    return new DenseNodesIterator(size());
  }
}
