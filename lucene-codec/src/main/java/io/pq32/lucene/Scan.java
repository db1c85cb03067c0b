package io.pq32.lucene;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.search.KnnCollector;

/**
 * Looks at the codes of all accepted ordinals and returns the best ones. Asked for more, it scans
 * again for a longer list, of which what was returned before is the beginning.
 */
abstract sealed class Scan implements CandidateSource permits CodeScan, RowScan {
  /** Every further scan asks for so many times as many ordinals. */
  private static final int GROWTH = 4;

  final AcceptedOrds accepted;
  final KnnCollector collector;
  private boolean counting;
  private int limit;
  private int returned;

  /**
   * @param limit ordinals that the first scan asks for
   * @param counting whether the collector hears of the first scan's visits; of others it never does
   */
  Scan(AcceptedOrds accepted, int limit, boolean counting, KnnCollector collector) {
    this.accepted = accepted;
    this.limit = Math.min(limit, accepted.count());
    this.counting = counting;
    this.collector = collector;
  }

  @Override
  public final int[] next() throws IOException {
    if (returned >= limit || collector.earlyTerminated()) {
      return new int[0];
    }
    TopSums top = new TopSums(limit);
    scan(top);
    int[] ords = top.drain();
    int[] fresh = Arrays.copyOfRange(ords, returned, Math.max(returned, ords.length));
    returned = ords.length;
    limit = (int) Math.min(accepted.count(), (long) limit * GROWTH);
    counting = false;
    return fresh;
  }

  /** Offers accepted ordinals until all are, or the collector ends the search. */
  abstract void scan(TopSums top) throws IOException;

  final boolean counting() {
    return counting;
  }

  final void visited(int count) {
    if (counting && count > 0) {
      collector.incVisitedCount(count);
    }
  }
}
