package io.pq32.lucene;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Lends what scans work with, one per thread at most. It is 30 kilobytes; in fresh memory for every
 * search it took a twentieth of the time of a filtered one.
 */
final class ScratchPool {
  private final int subQuantizers;
  private final Queue<ScanScratch> idle = new ConcurrentLinkedQueue<>();

  /**
   * @param subQuantizers of the codes
   */
  ScratchPool(int subQuantizers) {
    this.subQuantizers = subQuantizers;
  }

  /** Scratch with an empty list of up to {@code limit} sums, to be given back if nothing fails. */
  ScanScratch borrow(int limit) {
    ScanScratch scratch = idle.poll();
    if (scratch == null || !scratch.top().reset(limit)) {
      return new ScanScratch(new TopSums(limit, subQuantizers));
    }
    return scratch;
  }

  void giveBack(ScanScratch scratch) {
    idle.add(scratch);
  }
}
