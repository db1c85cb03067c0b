package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import io.pq32.quantization.PqLayout;
import java.io.IOException;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.IndexInput;

/**
 * Where are the parts of one field's graph? One entry of {@code .vem}; the byte layout is in {@link
 * Pq32HnswVectorsFormat}. The parts follow each other from {@link #offset} on; all positions here
 * count from there.
 *
 * @param size nodes
 * @param codeBytes bytes of a code
 * @param maxConn links a new node makes
 * @param entryStride every how many nodes one is an entry
 * @param listsLength bytes of the neighbor lists
 * @param listOffsetWidth bits of the position of a list within its group
 * @param offset where the parts start in {@code .vex}
 */
record GraphMeta(
    int fieldNumber,
    int size,
    int codeBytes,
    int maxConn,
    int entryStride,
    long listsLength,
    int listOffsetWidth,
    long offset) {

  /** Bytes behind the lists that decoding may touch: a gap of no bits may start at their end. */
  static final int LISTS_PADDING = PackedInts.PADDING + 1;

  /**
   * Nodes whose lists are found from one position. On 120,000 glyph images this takes 1.4 bytes a
   * node, where a position of its own takes 2.75 and costs one load instead of two.
   */
  static final int LIST_GROUP = 16;

  /** More than the lists of a group can take. */
  private static final int MAX_LIST_OFFSET_WIDTH = 24;

  /**
   * Most links of a node: {@code 2 x maxConn} chosen ones, as on level 0 of HNSW, and room for
   * links to nodes that nobody else chose. While the graph is built that room lets a row grow
   * before it is chosen again.
   */
  static int maxDegree(int maxConn) {
    return 3 * maxConn;
  }

  int entryCount() {
    return Math.ceilDiv(size, entryStride);
  }

  int entryBlocks() {
    return Math.ceilDiv(entryCount(), PqKernels.BLOCK_SIZE);
  }

  /** Bits of a node number or an ordinal. */
  int nodeWidth() {
    return PackedInts.width(size - 1);
  }

  int listGroups() {
    return Math.ceilDiv(size, LIST_GROUP);
  }

  /** Bits of the position of a group of lists. */
  int listGroupWidth() {
    return PackedInts.width(listsLength);
  }

  /** Codes of the entries, as transposed blocks; at position 0. */
  long entriesLength() {
    return (long) entryBlocks() * PqKernels.BLOCK_SIZE * codeBytes;
  }

  long nodeToOrd() {
    return entriesLength();
  }

  long ordToNode() {
    return nodeToOrd() + PackedInts.length(size, nodeWidth());
  }

  long listGroupPositions() {
    return ordToNode() + PackedInts.length(size, nodeWidth());
  }

  long listOffsets() {
    return listGroupPositions() + PackedInts.length(listGroups(), listGroupWidth());
  }

  long lists() {
    return listOffsets() + PackedInts.length(size, listOffsetWidth);
  }

  long length() {
    return lists() + listsLength + LISTS_PADDING;
  }

  void write(DataOutput out) throws IOException {
    MetaEntry.writeStart(out, fieldNumber);
    out.writeVInt(size);
    out.writeVInt(codeBytes);
    out.writeVInt(maxConn);
    out.writeVInt(entryStride);
    out.writeVLong(listsLength);
    out.writeVInt(listOffsetWidth);
    out.writeVLong(offset);
  }

  /** Reads the next entry, or null at the end of fields. */
  static GraphMeta readNext(IndexInput in, FieldInfos fieldInfos) throws IOException {
    MetaEntry entry = MetaEntry.nextOrNull(in, fieldInfos);
    if (entry == null) {
      return null;
    }
    int size = entry.readVInt("graph size", 1, Integer.MAX_VALUE);
    return new GraphMeta(
        entry.field().number,
        size,
        entry.readVInt("bytes per code", 1, PqLayout.MAX_SUB_QUANTIZERS),
        entry.readVInt("maxConn", Pq32HnswConfig.MIN_MAX_CONN, Pq32HnswConfig.MAX_MAX_CONN),
        entry.readVInt("entry stride", 1, Integer.MAX_VALUE),
        entry.readVLong("length of lists", size, Long.MAX_VALUE),
        entry.readVInt("bits of a list offset", 1, MAX_LIST_OFFSET_WIDTH),
        entry.readVLong("offset of the graph", 0, Long.MAX_VALUE));
  }

  /** Checks the entry against that of the codes, and that it is what comes next in the file. */
  void check(String field, CodesMeta.Codes codes, DataLayout graphs, IndexInput file)
      throws IOException {
    if (size != codes.count()) {
      throw Corruption.of(field, "graph size", codes.count(), size, file);
    }
    if (codeBytes != codes.layout().codeBytes()) {
      throw Corruption.of(field, "code bytes", codes.layout().codeBytes(), codeBytes, file);
    }
    graphs.next(field, "graph", offset, length());
  }
}
