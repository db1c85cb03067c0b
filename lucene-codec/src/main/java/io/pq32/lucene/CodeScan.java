package io.pq32.lucene;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.apache.lucene.search.KnnCollector;

/**
 * Scans all codes of a segment, 64 at a time; what is not accepted is masked, which costs nothing.
 */
final class CodeScan implements CandidateSource {
  /** Blocks between two looks at the collector: five microseconds of scanning. */
  private static final int CHUNK_BLOCKS = 64;

  /** Every further scan asks for so many times as many ordinals. */
  private static final int GROWTH = 4;

  private final StoredCodes codes;
  private final AdcTable table;
  private final AcceptedOrds accepted;
  private final KnnCollector collector;
  private final short[] sums = new short[CHUNK_BLOCKS * PqKernels.BLOCK_SIZE];
  private final int[] positions = new int[sums.length];
  private int limit;
  private int returned;

  /**
   * @param limit ordinals that the first scan asks for
   */
  CodeScan(
      StoredCodes codes, AdcTable table, AcceptedOrds accepted, int limit, KnnCollector collector) {
    this.codes = codes;
    this.table = table;
    this.accepted = accepted;
    this.limit = Math.min(limit, accepted.count());
    this.collector = collector;
  }

  @Override
  public int[] next() throws IOException {
    if (returned >= limit || collector.earlyTerminated()) {
      return new int[0];
    }
    int[] top = scan(returned == 0);
    int[] fresh = Arrays.copyOfRange(top, returned, Math.max(returned, top.length));
    returned = top.length;
    limit = (int) Math.min(accepted.count(), (long) limit * GROWTH);
    return fresh;
  }

  private int[] scan(boolean firstVisit) throws IOException {
    PqKernels kernels = PqKernels.instance();
    MemorySegment segment = codes.segment();
    int size = codes.meta().count();
    int codeBytes = codes.meta().layout().codeBytes();
    int blocks = Math.ceilDiv(size, PqKernels.BLOCK_SIZE);
    TopSums top = new TopSums(limit);
    int chunk;
    for (int block = 0; block < blocks && !collector.earlyTerminated(); block += chunk) {
      chunk = Math.min(firstVisit ? chunkBlocks() : CHUNK_BLOCKS, blocks - block);
      long offset = (long) block * codeBytes * PqKernels.BLOCK_SIZE;
      kernels.scan(segment, offset, chunk, codeBytes, table.levels(), sums);
      int found = kernels.collect(sums, chunk, top.threshold(), accepted.words(), block, positions);
      int first = block * PqKernels.BLOCK_SIZE;
      for (int i = 0; i < found && first + positions[i] < size; i++) { // the last block is padded
        top.offer(first + positions[i], sums[positions[i]]);
      }
      if (firstVisit) {
        collector.incVisitedCount(visited(first, chunk * PqKernels.BLOCK_SIZE, size));
      }
    }
    return top.drain();
  }

  /** A chunk no longer than what the collector still lets us visit, rounded up to a block. */
  private int chunkBlocks() {
    long left = Math.max(1, collector.visitLimit() - collector.visitedCount());
    return (int) Math.min(CHUNK_BLOCKS, Math.ceilDiv(left, PqKernels.BLOCK_SIZE));
  }

  private int visited(int first, int length, int size) {
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
