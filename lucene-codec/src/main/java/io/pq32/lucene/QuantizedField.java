package io.pq32.lucene;

import io.pq32.quantization.AdcTable;
import java.io.IOException;
import org.apache.lucene.search.KnnCollector;

/**
 * The codes of one field in one segment, and how they are searched.
 *
 * @param graph null where the codes lie in blocks and are scanned
 */
record QuantizedField(StoredCodes codes, MappedGraph graph) {
  /**
   * A scan keeps so many times the candidates that are surely reranked, so it is rarely repeated.
   */
  private static final int CANDIDATES_PER_DEPTH = 4;

  /** Copies the code of an ordinal. */
  void copyCode(int ord, byte[] code) throws IOException {
    codes.copy(graph == null ? ord : graph.node(ord), code);
  }

  SearchPlan.Codes arrangement() {
    return graph == null ? SearchPlan.Codes.BLOCKS : SearchPlan.Codes.GRAPH;
  }

  /** Finds candidates for a query the way a plan says. */
  CandidateSource candidates(
      SearchPlan.OnCodes plan,
      SearchPlan.Costs costs,
      float[] target,
      AcceptedOrds accepted,
      int depth,
      KnnCollector collector)
      throws IOException {
    AdcTable table = codes.quantizer().newTable();
    table.fill(target);
    int limit = CANDIDATES_PER_DEPTH * depth;
    return switch (plan) {
      case SearchPlan.CodeScan _ -> new CodeScan(codes, table, accepted, limit, collector);
      case SearchPlan.RowScan _ ->
          new RowScan(codes, graph, table, accepted, limit, true, collector);
      case SearchPlan.GraphWalk walk ->
          new GraphWalk(costs, codes, graph, table, accepted, walk.width(), collector);
    };
  }
}
