package io.pq32.lucene;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.search.KnnCollector;

/**
 * Scans all codes of a segment, 64 at a time; what is not accepted is masked, which costs nothing.
 */
final class CodeScan extends Scan {
  /** Blocks between two looks at the collector: five microseconds of scanning. */
  private static final int CHUNK_BLOCKS = 64;

  private final StoredCodes codes;
  private final AdcTable table;
  private final short[] sums = new short[CHUNK_BLOCKS * PqKernels.BLOCK_SIZE];
  private final int[] positions = new int[sums.length];

  /**
   * @param limit ordinals that the first scan asks for
   */
  CodeScan(
      StoredCodes codes, AdcTable table, AcceptedOrds accepted, int limit, KnnCollector collector) {
    super(accepted, limit, true, collector);
    this.codes = codes;
    this.table = table;
  }

  @Override
  void scan(TopSums top) throws IOException {
    PqKernels kernels = PqKernels.instance();
    MemorySegment segment = codes.segment();
    int size = codes.meta().count();
    int codeBytes = codes.meta().layout().codeBytes();
    int blocks = Math.ceilDiv(size, PqKernels.BLOCK_SIZE);
    int chunk;
    for (int block = 0; block < blocks && !collector.earlyTerminated(); block += chunk) {
      chunk = Math.min(counting() ? chunkBlocks() : CHUNK_BLOCKS, blocks - block);
      long offset = (long) block * codeBytes * PqKernels.BLOCK_SIZE;
      kernels.scan(segment, offset, chunk, codeBytes, table.levels(), sums);
      int found = kernels.collect(sums, chunk, top.threshold(), accepted.words(), block, positions);
      int first = block * PqKernels.BLOCK_SIZE;
      for (int i = 0; i < found && first + positions[i] < size; i++) { // the last block is padded
        top.offer(first + positions[i], sums[positions[i]]);
      }
      visited(acceptedOf(first, chunk * PqKernels.BLOCK_SIZE, size));
    }
  }

  /** A chunk no longer than what the collector still lets us visit, rounded up to a block. */
  private int chunkBlocks() {
    long left = Math.max(1, collector.visitLimit() - collector.visitedCount());
    return (int) Math.min(CHUNK_BLOCKS, Math.ceilDiv(left, PqKernels.BLOCK_SIZE));
  }

  private int acceptedOf(int first, int length, int size) {
    if (accepted.words() == null) {
      return Math.min(length, size - first);
    }
    int end = Math.min(accepted.words().length, (first + length) >>> 6);
    int count = 0;
    for (int word = first >>> 6; word < end; word++) {
      count += Long.bitCount(accepted.words()[word]);
    }
    return count;
  }
}
