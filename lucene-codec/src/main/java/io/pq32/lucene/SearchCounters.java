package io.pq32.lucene;

import java.util.concurrent.atomic.LongAdder;

/**
 * How were the searches of one field of one segment done? Any thread adds, once per search and
 * counter: sums of single candidates are the searches' own.
 */
final class SearchCounters {
  private final LongAdder exactScans = new LongAdder();
  private final LongAdder codeScans = new LongAdder();
  private final LongAdder rowScans = new LongAdder();
  private final LongAdder graphWalks = new LongAdder();
  private final LongAdder walksGivenUp = new LongAdder();
  private final LongAdder codesScored = new LongAdder();
  private final LongAdder vectorsScored = new LongAdder();

  void add(int vectors) {
    exactScans.increment();
    vectorsScored.add(vectors);
  }

  void add(CodeSearch search, int vectors) {
    switch (search) {
      case CodeScan _ -> codeScans.increment();
      case MaskedScan _, RowScan _ -> rowScans.increment();
      case GraphWalk walk -> {
        graphWalks.increment();
        if (walk.exhaustive()) {
          walksGivenUp.increment();
        }
      }
    }
    codesScored.add(search.codesScored());
    vectorsScored.add(vectors);
  }

  Pq32SearchStats stats() {
    return new Pq32SearchStats(
        exactScans.sum(),
        codeScans.sum(),
        rowScans.sum(),
        graphWalks.sum(),
        walksGivenUp.sum(),
        codesScored.sum(),
        vectorsScored.sum());
  }
}
