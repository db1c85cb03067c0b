package io.pq32.lucene;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.store.ByteBuffersDataOutput;
import org.apache.lucene.store.IndexOutput;

/** Writes a built graph the way {@link MappedGraph} reads it. */
final class GraphWriter {
  private GraphWriter() {}

  /**
   * Writes.
   *
   * @param entries codes of the entries, as transposed blocks
   * @return where everything is
   */
  static GraphMeta write(
      IndexOutput out,
      int fieldNumber,
      BuiltGraph graph,
      int[] nodeToOrd,
      int maxConn,
      int codeBytes,
      int entryStride,
      byte[] entries)
      throws IOException {
    int size = nodeToOrd.length;
    // Positions stand before the lists, so the lists are encoded first.
    ByteBuffersDataOutput lists = new ByteBuffersDataOutput();
    long[] positions = new long[size];
    int[] neighbors = new int[graph.maxDegree()];
    for (int node = 0; node < size; node++) {
      positions[node] = lists.size();
      int count = graph.neighbors(node, neighbors);
      Arrays.sort(neighbors, 0, count);
      NeighborCodec.write(lists, node, neighbors, count);
    }
    GraphMeta meta =
        new GraphMeta(
            fieldNumber,
            size,
            codeBytes,
            maxConn,
            entryStride,
            lists.size(),
            out.alignFilePointer(SegmentFile.ALIGNMENT));
    out.writeBytes(entries, entries.length);
    int[] ordToNode = new int[size];
    PackedInts.Writer ords = new PackedInts.Writer(out, meta.nodeWidth());
    for (int node = 0; node < size; node++) {
      ordToNode[nodeToOrd[node]] = node;
      ords.add(nodeToOrd[node]);
    }
    ords.finish();
    PackedInts.Writer nodes = new PackedInts.Writer(out, meta.nodeWidth());
    for (int node : ordToNode) {
      nodes.add(node);
    }
    nodes.finish();
    PackedInts.Writer starts = new PackedInts.Writer(out, meta.listWidth());
    for (long position : positions) {
      starts.add(position);
    }
    starts.finish();
    lists.copyTo(out);
    for (int i = 0; i < GraphMeta.LISTS_PADDING; i++) {
      out.writeByte((byte) 0);
    }
    return meta;
  }
}
