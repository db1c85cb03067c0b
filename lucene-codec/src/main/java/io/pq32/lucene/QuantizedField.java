package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.search.KnnCollector;

/**
 * The codes of one field in one segment, and how they are searched.
 *
 * @param graph null where the codes lie in blocks and are scanned
 */
record QuantizedField(StoredCodes codes, MappedGraph graph) {
  /** Copies codes by ordinal. */
  @FunctionalInterface
  interface CodeReader {
    void copy(int ord, byte[] code) throws IOException;
  }

  /** Reads codes in the order of ordinals: takes four bytes of heap per vector if in blocks. */
  CodeReader codeReader() throws IOException {
    if (graph != null) {
      return (ord, code) -> codes.copyRow(graph.node(ord), code);
    }
    CodeBlocks blocks = codes.blocks();
    int[] ordToNode = codes.blockOrds().ordToNode();
    return (ord, code) -> blocks.copy(ordToNode[ord], code);
  }

  SearchPlan.Codes arrangement() {
    return graph == null ? SearchPlan.Codes.BLOCKS : SearchPlan.Codes.GRAPH;
  }

  /** Finds candidates for a query the way a plan says. */
  CodeSearch candidates(
      SearchPlan.OnCodes plan,
      SearchPlan.Costs costs,
      QueryTables.Table table,
      AcceptedOrds accepted,
      int depth,
      KnnCollector collector)
      throws IOException {
    ScratchPool scratches = codes.tables().scratches();
    return switch (plan) {
      case SearchPlan.CodeScan _ ->
          new CodeScan(
              codes.blocks(), codes.blockOrds(), table, scratches, accepted, depth, collector);
      case SearchPlan.RowScan _ when graph == null ->
          new MaskedScan(
              codes.blocks(), codes.blockOrds(), table, scratches, accepted, depth, collector);
      case SearchPlan.RowScan _ ->
          new RowScan(codes, graph, table, scratches, accepted, depth, true, collector);
      case SearchPlan.GraphWalk walk ->
          new GraphWalk(costs, codes, graph, table, accepted, walk.width(), collector);
    };
  }
}
