package io.pq32.lucene;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.ProductQuantizer;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What is the table of a query for one codebook? Segments that share a codebook share the tables of
 * the queries that go through them: projecting a query and building its table takes as long as
 * scanning 20,000 codes.
 */
final class QueryTables {
  /** Queries remembered: those that are under way at the same time, as a rule. */
  private static final int RECENT = 16;

  /**
   * The table of one query. Immutable.
   *
   * @param levels {@link AdcTable#levels()}
   * @param step {@link AdcTable#step()}
   */
  record Table(float[] query, byte[] levels, double step) {}

  private final ProductQuantizer quantizer;
  private final TopSumsPool tops;
  private final Queue<AdcTable> idle = new ConcurrentLinkedQueue<>(); // one per thread at most
  private final AtomicReferenceArray<Table> recent = new AtomicReferenceArray<>(RECENT);
  private final AtomicInteger next = new AtomicInteger();

  QueryTables(ProductQuantizer quantizer) {
    this.quantizer = quantizer;
    this.tops = new TopSumsPool(quantizer.layout().subQuantizers());
  }

  ProductQuantizer quantizer() {
    return quantizer;
  }

  /** Lists for those who sum levels of these tables. */
  TopSumsPool tops() {
    return tops;
  }

  /** The table of a query, made unless it was asked for just before. */
  Table of(float[] query) {
    for (int i = 0; i < RECENT; i++) {
      Table table = recent.getPlain(i);
      if (table != null && Arrays.equals(table.query, query)) {
        return table;
      }
    }
    AdcTable scratch = idle.poll();
    if (scratch == null) {
      scratch = quantizer.newTable();
    }
    scratch.fill(query);
    Table table = new Table(query.clone(), scratch.levels().clone(), scratch.step());
    idle.add(scratch);
    recent.set(Math.floorMod(next.getAndIncrement(), RECENT), table);
    return table;
  }
}
