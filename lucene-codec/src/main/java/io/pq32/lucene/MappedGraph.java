package io.pq32.lucene;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.IndexInput;

/** The graph of one field in one segment, read in place. Shareable. */
final class MappedGraph implements Adjacency {
  private final String field;
  private final GraphMeta meta;
  private final IndexInput file;
  private final MemorySegment segment;
  private final PackedInts nodeToOrd;
  private final PackedInts ordToNode;
  private final PackedInts listGroupPositions;
  private final PackedInts listOffsets;
  private final long lists;
  private final int countBits;

  /**
   * @param field to name when something is corrupt
   */
  MappedGraph(String field, GraphMeta meta, IndexInput file) throws IOException {
    this.field = field;
    this.meta = meta;
    this.file = file;
    this.segment = new Region(file, "graph", meta.offset(), meta.length()).segment();
    this.nodeToOrd = new PackedInts(segment, meta.nodeToOrd(), meta.nodeWidth());
    this.ordToNode = new PackedInts(segment, meta.ordToNode(), meta.nodeWidth());
    this.listGroupPositions =
        new PackedInts(segment, meta.listGroupPositions(), meta.listGroupWidth());
    this.listOffsets = new PackedInts(segment, meta.listOffsets(), meta.listOffsetWidth());
    this.lists = meta.lists();
    this.countBits = NeighborCodec.countBits(maxDegree());
  }

  GraphMeta meta() {
    return meta;
  }

  /** Starts with the codes of the entries as transposed blocks. */
  MemorySegment segment() {
    return segment;
  }

  int ord(int node) throws CorruptIndexException {
    return checked((int) nodeToOrd.get(node));
  }

  int node(int ord) throws CorruptIndexException {
    return checked((int) ordToNode.get(ord));
  }

  @Override
  public int neighbors(int node, int[] out) throws IOException {
    long position = listGroupPositions.get(node / GraphMeta.LIST_GROUP) + listOffsets.get(node);
    if (position >= meta.listsLength()) {
      throw Corruption.of(
          field, "list of node " + node, "before " + meta.listsLength(), "at " + position, file);
    }
    int count;
    try {
      count = NeighborCodec.read(segment, lists + position, countBits, node, out);
    } catch (IndexOutOfBoundsException e) {
      throw new CorruptIndexException(
          "field \"" + field + "\": list of node " + node + " should end before the lists do",
          file,
          e);
    }
    if (count < 0) {
      throw Corruption.of(
          field,
          "list of node " + node,
          "of at most " + maxDegree() + " neighbors",
          "longer",
          file);
    }
    for (int i = 0; i < count; i++) {
      checked(out[i]);
    }
    return count;
  }

  private int checked(int node) throws CorruptIndexException {
    if (node < 0 || node >= meta.size()) {
      throw Corruption.of(field, "reference of the graph", "0 to " + (meta.size() - 1), node, file);
    }
    return node;
  }

  @Override
  public int maxDegree() {
    return GraphMeta.maxDegree(meta.maxConn());
  }
}
