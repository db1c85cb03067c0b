package io.pq32.lucene;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.IndexInput;

/** The graph of one field in one segment, read in place. Shareable. */
final class MappedGraph implements Adjacency {
  private final GraphMeta meta;
  private final IndexInput file;
  private final MemorySegment segment;
  private final PackedInts nodeToOrd;
  private final PackedInts ordToNode;
  private final PackedInts listGroupPositions;
  private final PackedInts listOffsets;
  private final long lists;
  private final int countBits;

  MappedGraph(GraphMeta meta, IndexInput file) throws IOException {
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
      throw new CorruptIndexException("node " + node + " has its list at " + position, file);
    }
    int count;
    try {
      count = NeighborCodec.read(segment, lists + position, countBits, node, out);
    } catch (IndexOutOfBoundsException e) {
      throw new CorruptIndexException("node " + node + " has a list without end", file, e);
    }
    if (count < 0) {
      throw new CorruptIndexException("node " + node + " has too long a list", file);
    }
    for (int i = 0; i < count; i++) {
      checked(out[i]);
    }
    return count;
  }

  private int checked(int node) throws CorruptIndexException {
    if (node < 0 || node >= meta.size()) {
      throw new CorruptIndexException(
          "graph of " + meta.size() + " nodes refers to node " + node, file);
    }
    return node;
  }

  @Override
  public int maxDegree() {
    return GraphMeta.maxDegree(meta.maxConn());
  }
}
