package io.pq32.lucene;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.store.DataOutput;

/**
 * How a neighbor list lies on disk: as gaps of two widths.
 *
 * <p>Nodes are numbered by locality, so many neighbors have numbers close to the node's. The gaps
 * start at the node: those of the neighbors above it going up, then those of the ones below it
 * going down; each is the difference to the node before less one. A list has two widths in bits,
 * and a tag per neighbor says which of them its gap takes; tags come before the gaps of every
 * {@value #GROUP} neighbors, so that where a gap starts is known without reading the one before.
 *
 * <p>On 120,000 glyph images, 16.6 neighbors a node: 31.5 bytes per list. Whole bytes with two bits
 * each for their number take 37.5; one width 33.7; four widths for the whole graph 31.3, of which
 * the tags are more; Rice codes 31 and a loop over unary bits. Gaps up from the lowest neighbor on,
 * which need no second count, cost 1.5 bytes more for the first one.
 */
final class NeighborCodec {
  /** Neighbors whose tags are read at once. */
  private static final int GROUP = 32;

  /** Bits of a width: 0 to 31. */
  private static final int WIDTH_BITS = 5;

  private static final int WIDTH_MASK = (1 << WIDTH_BITS) - 1;

  private NeighborCodec() {}

  /** Bits of each of the two counts of a list. */
  static int countBits(int maxDegree) {
    return PackedInts.width(maxDegree);
  }

  /**
   * Writes the list of a node.
   *
   * @param neighbors other nodes, distinct and ascending
   */
  static void write(DataOutput out, int countBits, int node, int[] neighbors, int count)
      throws IOException {
    int below = 0;
    while (below < count && neighbors[below] < node) {
      below++;
    }
    int[] gaps = new int[count];
    int size = 0;
    int previous = node;
    for (int i = below; i < count; i++) {
      gaps[size++] = neighbors[i] - previous - 1;
      previous = neighbors[i];
    }
    previous = node;
    for (int i = below - 1; i >= 0; i--) {
      gaps[size++] = previous - neighbors[i] - 1;
      previous = neighbors[i];
    }
    int wide = 0;
    for (int gap : gaps) {
      wide = Math.max(wide, width(gap));
    }
    int narrow = narrow(gaps, wide);
    BitOutput bits = new BitOutput(out);
    bits.write(count - below, countBits);
    bits.write(below, countBits);
    bits.write(narrow, WIDTH_BITS);
    bits.write(wide, WIDTH_BITS);
    for (int from = 0; from < count; from += GROUP) {
      int to = Math.min(count, from + GROUP);
      for (int i = from; i < to; i++) {
        bits.write(width(gaps[i]) > narrow ? 1 : 0, 1);
      }
      for (int i = from; i < to; i++) {
        bits.write(gaps[i], width(gaps[i]) > narrow ? wide : narrow);
      }
    }
    bits.finish();
  }

  private static int width(int gap) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(gap);
  }

  /** The smaller width with which the gaps take the fewest bits. */
  private static int narrow(int[] gaps, int wide) {
    int[] counts = new int[wide + 1]; // of gaps that have a width
    for (int gap : gaps) {
      counts[width(gap)]++;
    }
    int best = wide;
    int saved = 0;
    int narrower = 0; // gaps that are no wider
    for (int width = 0; width < wide; width++) {
      narrower += counts[width];
      if (narrower * (wide - width) > saved) {
        saved = narrower * (wide - width);
        best = width;
      }
    }
    return best;
  }

  /**
   * Reads the list of a node. Nothing is read outside the segment whatever the bytes are, and at
   * most as many neighbors are returned as there is room for; the caller checks that nodes exist.
   *
   * @return the count, or -1 when it is more than there is room for
   * @throws IndexOutOfBoundsException when the list would go on beyond the segment
   */
  static int read(MemorySegment lists, long position, int countBits, int node, int[] neighbors) {
    long bit = Byte.SIZE * position;
    long header = PackedInts.bits(lists, bit);
    int countMask = (1 << countBits) - 1;
    int above = (int) header & countMask;
    int count = above + ((int) (header >>> countBits) & countMask);
    if (count > neighbors.length) {
      return -1;
    }
    int widths = (int) (header >>> 2 * countBits);
    int narrow = widths & WIDTH_MASK;
    int extra = (widths >>> WIDTH_BITS & WIDTH_MASK) - narrow;
    bit += 2 * countBits + 2 * WIDTH_BITS;
    for (int from = 0; from < count; from += GROUP) {
      int to = Math.min(count, from + GROUP);
      int tags = (int) PackedInts.bits(lists, bit);
      bit += to - from;
      for (int i = from; i < to; i++) {
        int width = narrow + (extra & -(tags & 1));
        tags >>>= 1;
        neighbors[i] = (int) PackedInts.bits(lists, bit) & (1 << width) - 1;
        bit += width;
      }
    }
    int neighbor = node;
    for (int i = 0; i < above; i++) {
      neighbor += neighbors[i] + 1;
      neighbors[i] = neighbor;
    }
    neighbor = node;
    for (int i = above; i < count; i++) {
      neighbor -= neighbors[i] + 1;
      neighbors[i] = neighbor;
    }
    return count;
  }
}
