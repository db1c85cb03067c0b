package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.apache.lucene.store.DataOutput;

/**
 * How a neighbor list lies on disk: the count as a vint, then ascending nodes as differences (the
 * first one zigzag from the node itself), in groups of four: a byte with two bits per number for
 * its length less one, then one to four bytes each, little endian. Nodes are numbered by locality,
 * so most differences take one or two bytes; decoding costs an unaligned load and a mask per
 * number.
 */
final class NeighborCodec {
  private static final ValueLayout.OfInt INT =
      JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int[] MASKS = {0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF};

  private NeighborCodec() {}

  /** Writes the list of a node: {@code count} distinct nodes, ascending. */
  static void write(DataOutput out, int node, int[] neighbors, int count) throws IOException {
    out.writeVInt(count);
    int previous = node;
    int[] values = new int[4];
    for (int i = 0; i < count; i++) {
      int difference = neighbors[i] - previous;
      previous = neighbors[i];
      values[i & 3] = i == 0 ? difference << 1 ^ difference >> 31 : difference;
      if ((i & 3) == 3 || i == count - 1) {
        writeGroup(out, values, (i & 3) + 1);
      }
    }
  }

  private static void writeGroup(DataOutput out, int[] values, int count) throws IOException {
    int control = 0;
    for (int i = 0; i < count; i++) {
      control |= (PackedInts.width(values[i] & 0xFFFFFFFFL) - 1) / Byte.SIZE << 2 * i;
    }
    out.writeByte((byte) control);
    for (int i = 0; i < count; i++) {
      int width = (control >>> 2 * i & 3) + 1;
      for (int b = 0; b < width; b++) {
        out.writeByte((byte) (values[i] >>> 8 * b));
      }
    }
  }

  /**
   * Reads the list of a node. Nothing is read outside the segment whatever the bytes are, and at
   * most as many neighbors are returned as there is room for; the caller checks that nodes exist.
   *
   * @return the count, or -1 when it is more than there is room for
   * @throws IndexOutOfBoundsException when the list would go on beyond the segment
   */
  static int read(MemorySegment lists, long position, int node, int[] neighbors) {
    int count = lists.get(JAVA_BYTE, position++);
    if (count < 0) { // two bytes hold the most links a configuration allows
      count = count & 0x7F | lists.get(JAVA_BYTE, position++) << 7;
    }
    if (count < 0 || count > neighbors.length) {
      return -1;
    }
    int previous = node;
    for (int i = 0; i < count; i += 4) {
      int control = lists.get(JAVA_BYTE, position++);
      int end = Math.min(4, count - i);
      for (int j = 0; j < end; j++) {
        int length = control >>> 2 * j & 3;
        int value = lists.get(INT, position) & MASKS[length];
        position += length + 1;
        if (i + j == 0) {
          value = value >>> 1 ^ -(value & 1);
        }
        previous += value;
        neighbors[i + j] = previous;
      }
    }
    return count;
  }
}
