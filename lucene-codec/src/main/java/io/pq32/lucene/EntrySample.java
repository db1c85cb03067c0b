package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.lang.foreign.MemorySegment;

/**
 * Where does a walk start? At the best ones of a sample of the nodes, found by scanning the
 * sample's codes: 64 of them cost what one step of a walk costs, so this takes the place of HNSW's
 * upper layers.
 */
final class EntrySample {
  /** One node in so many is an entry... */
  private static final int MIN_STRIDE = 64;

  /** ... but no more than these: ten microseconds of scanning. */
  private static final int MAX_ENTRIES = 8192;

  private EntrySample() {}

  /** Every how many nodes of a graph one is an entry. */
  static int stride(int size) {
    return Math.max(MIN_STRIDE, Math.ceilDiv(size, MAX_ENTRIES));
  }

  /** Codes of the entries of a graph, as transposed blocks. */
  static byte[] codes(CodeBlocks blocks) {
    int size = blocks.layout().size();
    int codeBytes = blocks.layout().codeBytes();
    int stride = stride(size);
    int count = Math.ceilDiv(size, stride);
    byte[] codes =
        new byte[Math.ceilDiv(count, PqKernels.BLOCK_SIZE) * blocks.layout().blockLength()];
    byte[] code = new byte[codeBytes];
    for (int entry = 0; entry < count; entry++) {
      blocks.copy(entry * stride, code);
      int block = entry / PqKernels.BLOCK_SIZE * blocks.layout().blockLength();
      for (int m = 0; m < codeBytes; m++) {
        codes[block + m * PqKernels.BLOCK_SIZE + entry % PqKernels.BLOCK_SIZE] = code[m];
      }
    }
    return codes;
  }

  /**
   * Finds the best entries.
   *
   * @param blocks transposed codes of the entries, from the start of the segment
   * @param count entries
   * @param sums scratch for all of them, rounded up to blocks
   * @param best takes the numbers of the entries, the best first
   * @return how many there are: as many as there is room for, or all
   */
  static int best(
      MemorySegment blocks, int count, int codeBytes, byte[] levels, short[] sums, int[] best) {
    int blockCount = Math.ceilDiv(count, PqKernels.BLOCK_SIZE);
    PqKernels.instance().scan(blocks, 0, blockCount, codeBytes, levels, sums);
    int found = 0;
    int least = -1; // sum that does not enter any more
    for (int i = 0; i < count; i++) {
      if (sums[i] > least) {
        int place = Math.min(found, best.length - 1);
        for (; place > 0 && sums[best[place - 1]] < sums[i]; place--) {
          best[place] = best[place - 1];
        }
        best[place] = i;
        found = Math.min(found + 1, best.length);
        least = found == best.length ? sums[best[found - 1]] : -1;
      }
    }
    return found;
  }
}
