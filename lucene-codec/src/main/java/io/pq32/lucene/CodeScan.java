package io.pq32.lucene;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.search.KnnCollector;

/** Finds the most promising ordinals of a segment by scanning all its codes. */
final class CodeScan {
  /** Blocks between two looks at the collector: five microseconds of scanning. */
  private static final int CHUNK_BLOCKS = 64;

  private CodeScan() {}

  /**
   * Scans.
   *
   * @param limit ordinals wanted
   * @param visits may end the scan early, and is told of the codes visited
   * @return accepted ordinals, most promising first
   */
  static int[] topOrds(
      StoredCodes codes, AdcTable table, AcceptedOrds accepted, int limit, KnnCollector visits)
      throws IOException {
    PqKernels kernels = PqKernels.instance();
    int size = codes.meta().count();
    int codeBytes = codes.meta().layout().codeBytes();
    int blockBytes = codeBytes * PqKernels.BLOCK_SIZE;
    int blocks = Math.ceilDiv(size, PqKernels.BLOCK_SIZE);
    MappedRegion.Cursor cursor = codes.region().cursor(CHUNK_BLOCKS * blockBytes);
    short[] sums = new short[CHUNK_BLOCKS * PqKernels.BLOCK_SIZE];
    int[] positions = new int[sums.length];
    TopSums top = new TopSums(limit);
    int chunk;
    for (int block = 0; block < blocks && !visits.earlyTerminated(); block += chunk) {
      chunk = Math.min(chunkBlocks(visits), blocks - block);
      long offset = (long) block * blockBytes;
      MemorySegment segment = cursor.read(offset, chunk * blockBytes);
      kernels.scan(segment, cursor.base(offset), chunk, codeBytes, table.levels(), sums);
      int found = kernels.collect(sums, chunk, top.threshold(), accepted.words(), block, positions);
      int first = block * PqKernels.BLOCK_SIZE;
      for (int i = 0; i < found && first + positions[i] < size; i++) { // the last block is padded
        top.offer(first + positions[i], sums[positions[i]]);
      }
      visits.incVisitedCount(visited(accepted, first, chunk * PqKernels.BLOCK_SIZE, size));
    }
    return top.drain();
  }

  /** A chunk no longer than what the collector still lets us visit, rounded up to a block. */
  private static int chunkBlocks(KnnCollector visits) {
    long left = Math.max(1, visits.visitLimit() - visits.visitedCount());
    return (int) Math.min(CHUNK_BLOCKS, Math.ceilDiv(left, PqKernels.BLOCK_SIZE));
  }

  private static int visited(AcceptedOrds accepted, int first, int length, int size) {
    if (accepted.words() == null) {
      return Math.min(length, size - first);
    }
    int count = 0;
    for (int word = first >>> 6;
        word < Math.min(accepted.words().length, first + length >>> 6);
        word++) {
      count += Long.bitCount(accepted.words()[word]);
    }
    return count;
  }
}
