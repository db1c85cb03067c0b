package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.search.KnnCollector;

/**
 * Looks at codes of accepted ordinals and returns the best ones. Asked for more, it scans again for
 * a longer list, and returns what is new in it.
 */
abstract sealed class Scan implements CodeSearch permits CodeScan, MaskedScan, RowScan {
  /** Every further scan asks for so many times as many ordinals. */
  private static final int GROWTH = 4;

  final AcceptedOrds accepted;
  final KnnCollector collector;
  private final Unreturned unreturned = new Unreturned();
  private boolean counting;
  private int limit;
  private long codesScored;

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
  public final Candidates next() throws IOException {
    if (unreturned.count() >= limit || collector.earlyTerminated()) {
      return Candidates.NONE;
    }
    Candidates found = scan(limit);
    limit = (int) Math.min(accepted.count(), (long) limit * GROWTH);
    counting = false;
    return unreturned.of(found);
  }

  /** The most promising accepted ordinals, {@code limit} of them if there are. */
  abstract Candidates scan(int limit) throws IOException;

  final boolean counting() {
    return counting;
  }

  final void scored(int codes) {
    codesScored += codes;
  }

  @Override
  public final long codesScored() {
    return codesScored;
  }

  final void visited(int count) {
    if (counting && count > 0) {
      collector.incVisitedCount(count);
    }
  }
}
