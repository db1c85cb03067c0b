package io.pq32.lucene;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Lends lists of the largest sums, one per thread at most. A list is 20 kilobytes; a new one for
 * every search, fresh memory each time, took a twentieth of the time of a filtered one.
 */
final class TopSumsPool {
  private final int subQuantizers;
  private final Queue<TopSums> idle = new ConcurrentLinkedQueue<>();

  /**
   * @param subQuantizers of the codes
   */
  TopSumsPool(int subQuantizers) {
    this.subQuantizers = subQuantizers;
  }

  /** An empty list of up to {@code limit} entries, to be given back if nothing fails. */
  TopSums borrow(int limit) {
    TopSums top = idle.poll();
    if (top == null || !top.reset(limit)) {
      return new TopSums(limit, subQuantizers);
    }
    return top;
  }

  void giveBack(TopSums top) {
    idle.add(top);
  }
}
