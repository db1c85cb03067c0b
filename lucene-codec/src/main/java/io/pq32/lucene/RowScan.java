package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.search.KnnCollector;

/**
 * Scores the codes of all accepted ordinals of a segment whose codes lie in the order of its graph.
 */
final class RowScan extends Scan {
  /**
   * With fewer accepted than one in so many, ordinals are looked up; else all nodes are gone
   * through.
   */
  private static final int SPARSE = 8;

  private final StoredCodes codes;
  private final MappedGraph graph;
  private final QueryTables.Table table;
  private final ScratchPool scratches;
  private final int[] nodes = new int[PqKernels.BLOCK_SIZE];
  private final int[] ords = new int[PqKernels.BLOCK_SIZE];
  private final short[] sums = new short[PqKernels.BLOCK_SIZE];
  private final byte[] scratch;
  private int pending;

  /**
   * @param limit ordinals that the first scan asks for
   * @param counting whether the collector hears of the first scan's visits; it has heard of those
   *     of a walk that gave way to a scan
   */
  RowScan(
      StoredCodes codes,
      MappedGraph graph,
      QueryTables.Table table,
      ScratchPool scratches,
      AcceptedOrds accepted,
      int limit,
      boolean counting,
      KnnCollector collector) {
    super(accepted, limit, counting, collector);
    this.codes = codes;
    this.graph = graph;
    this.table = table;
    this.scratches = scratches;
    this.scratch = new byte[PqKernels.BLOCK_SIZE * codes.meta().layout().codeBytes()];
  }

  @Override
  Candidates scan(int limit) throws IOException {
    ScanScratch scratch = scratches.borrow(limit);
    TopSums top = scratch.top();
    scan(top);
    Candidates found = top.drain();
    scratches.giveBack(scratch);
    return found;
  }

  private void scan(TopSums top) throws IOException {
    MemorySegment segment = codes.segment();
    int size = codes.meta().count();
    if (accepted.count() < size / SPARSE) {
      AcceptedOrds.Cursor cursor = accepted.cursor();
      int count;
      while ((count = cursor.next(ords)) > 0) {
        for (int i = 0; i < count; i++) {
          nodes[i] = graph.node(ords[i]);
        }
        pending = count;
        if (!score(segment, top)) {
          return;
        }
      }
    } else {
      for (int node = 0; node < size; node++) {
        int ord = graph.ord(node);
        if (accepted.contains(ord) && !add(segment, node, ord, top)) {
          return;
        }
      }
      score(segment, top);
    }
  }

  private boolean add(MemorySegment segment, int node, int ord, TopSums top) {
    nodes[pending] = node;
    ords[pending++] = ord;
    return pending < nodes.length || score(segment, top);
  }

  /** Scores what is pending; false when the collector ends the search. */
  private boolean score(MemorySegment segment, TopSums top) {
    int codeBytes = codes.meta().layout().codeBytes();
    PqKernels.instance()
        .score(segment, 0, nodes, pending, codeBytes, table.levels(), scratch, sums);
    for (int i = 0; i < pending; i++) {
      top.offer(ords[i], sums[i]);
    }
    scored(pending);
    visited(pending);
    pending = 0;
    return !collector.earlyTerminated();
  }
}
