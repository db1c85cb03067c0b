package io.pq32.lucene;

import org.apache.lucene.search.KnnCollector;

/**
 * How many visits does a collector hear of? Those that there are, but for one of all vectors that
 * may be returned: a search within a radius may visit as many vectors as its filter accepts, and
 * reaching that limit means having ended early. Told of all visits, Lucene would score every
 * accepted vector once more after a search that has seen them all. (A single one does count: hits
 * without visits are none to Lucene's second pass over a leaf.)
 */
final class VisitCount extends KnnCollector.Decorator {
  private long left;

  /**
   * @param accepted vectors that may be returned, at least 1
   */
  VisitCount(KnnCollector collector, int accepted) {
    super(collector);
    this.left = Math.max(1, accepted - 1);
  }

  @Override
  public void incVisitedCount(int count) {
    int counted = (int) Math.min(count, left);
    left -= counted;
    super.incVisitedCount(counted);
  }
}
