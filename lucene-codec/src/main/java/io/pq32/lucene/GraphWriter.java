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
   * @param blocks codes of the nodes
   * @return where everything is
   */
  static GraphMeta write(
      IndexOutput out,
      int fieldNumber,
      BuiltGraph graph,
      int[] nodeToOrd,
      int maxConn,
      CodeBlocks blocks)
      throws IOException {
    int size = nodeToOrd.length;
    // Positions stand before the lists, so the lists are encoded first.
    ByteBuffersDataOutput lists = new ByteBuffersDataOutput();
    long[] positions = new long[size];
    int[] neighbors = new int[graph.maxDegree()];
    int countBits = NeighborCodec.countBits(graph.maxDegree());
    long largestOffset = 0;
    for (int node = 0; node < size; node++) {
      positions[node] = lists.size();
      largestOffset = Math.max(largestOffset, positions[node] - positions[groupStart(node)]);
      int count = graph.neighbors(node, neighbors);
      Arrays.sort(neighbors, 0, count);
      NeighborCodec.write(lists, countBits, node, neighbors, count);
    }
    GraphMeta meta =
        new GraphMeta(
            fieldNumber,
            size,
            blocks.layout().codeBytes(),
            maxConn,
            EntrySample.stride(size),
            lists.size(),
            PackedInts.width(largestOffset),
            out.alignFilePointer(SegmentFile.ALIGNMENT));
    byte[] entries = EntrySample.codes(blocks);
    out.writeBytes(entries, entries.length);
    int[] ordToNode = new int[size];
    for (int node = 0; node < size; node++) {
      ordToNode[nodeToOrd[node]] = node;
    }
    PackedInts.write(out, size, meta.nodeWidth(), node -> nodeToOrd[node]);
    PackedInts.write(out, size, meta.nodeWidth(), ord -> ordToNode[ord]);
    PackedInts.write(
        out,
        meta.listGroups(),
        meta.listGroupWidth(),
        group -> positions[group * GraphMeta.LIST_GROUP]);
    PackedInts.write(
        out, size, meta.listOffsetWidth(), node -> positions[node] - positions[groupStart(node)]);
    lists.copyTo(out);
    for (int i = 0; i < GraphMeta.LISTS_PADDING; i++) {
      out.writeByte((byte) 0);
    }
    return meta;
  }

  private static int groupStart(int node) {
    return node / GraphMeta.LIST_GROUP * GraphMeta.LIST_GROUP;
  }
}
