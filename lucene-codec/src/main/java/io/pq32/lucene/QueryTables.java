package io.pq32.lucene;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.PqLayout;
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
   * The table of one query, which does not change until all who hold it have given it back. Eight
   * kilobytes of fresh memory for every query took a fortieth of its time.
   */
  static final class Table {
    private final float[] query;
    private final byte[] levels;
    private final AtomicInteger holders = new AtomicInteger();
    private double step;
    private double length;

    private Table(PqLayout layout) {
      this.query = new float[layout.dimension()];
      this.levels = new byte[layout.subQuantizers() * PqKernels.CODEBOOK_SIZE];
    }

    /** {@link AdcTable#levels()} of the query. */
    byte[] levels() {
      return levels;
    }

    /** {@link AdcTable#step()} of the query. */
    double step() {
      return step;
    }

    /** {@link AdcTable#length()} of the query. */
    double length() {
      return length;
    }

    /** Holds it, unless nobody else does any more: then it is about to become another one. */
    private boolean hold() {
      for (int count = holders.get(); count > 0; count = holders.get()) {
        if (holders.compareAndSet(count, count + 1)) {
          return true;
        }
      }
      return false;
    }
  }

  private final ProductQuantizer quantizer;
  private final ScratchPool scratches;
  private final Queue<AdcTable> idle = new ConcurrentLinkedQueue<>(); // one per thread at most
  private final Queue<Table> unheld = new ConcurrentLinkedQueue<>();
  private final AtomicReferenceArray<Table> recent = new AtomicReferenceArray<>(RECENT);
  private final AtomicInteger next = new AtomicInteger();

  QueryTables(ProductQuantizer quantizer) {
    this.quantizer = quantizer;
    this.scratches = new ScratchPool(quantizer.layout().subQuantizers());
  }

  ProductQuantizer quantizer() {
    return quantizer;
  }

  /** Scratch for those who sum levels of these tables. */
  ScratchPool scratches() {
    return scratches;
  }

  /** The table of a query, made unless it was asked for just before; to be given back. */
  Table borrow(float[] query) {
    for (int i = 0; i < RECENT; i++) {
      Table table = recent.get(i);
      // What is not held may change, so it is compared again once it is.
      if (table != null && Arrays.equals(table.query, query) && table.hold()) {
        if (Arrays.equals(table.query, query)) {
          return table;
        }
        giveBack(table);
      }
    }
    Table table = make(query);
    table.holders.set(2); // the caller, and those who ask for it next
    Table forgotten = recent.getAndSet(Math.floorMod(next.getAndIncrement(), RECENT), table);
    if (forgotten != null) {
      giveBack(forgotten);
    }
    return table;
  }

  private Table make(float[] query) {
    Table table = unheld.poll();
    if (table == null) {
      table = new Table(quantizer.layout());
    }
    AdcTable scratch = idle.poll();
    if (scratch == null) {
      scratch = quantizer.newTable();
    }
    scratch.fill(query);
    System.arraycopy(query, 0, table.query, 0, query.length);
    System.arraycopy(scratch.levels(), 0, table.levels, 0, table.levels.length);
    table.step = scratch.step();
    table.length = scratch.length();
    idle.add(scratch);
    return table;
  }

  /** Gives back what was borrowed, once. */
  void giveBack(Table table) {
    if (table.holders.decrementAndGet() == 0) {
      unheld.add(table);
    }
  }
}
