package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import org.apache.lucene.search.KnnCollector;

/**
 * Scans the blocks that hold accepted codes, all of them, where few are accepted: finding their
 * nodes first costs less than asking of every code that competes whether it is accepted.
 */
final class MaskedScan extends Scan {
  /** Blocks between two looks at the collector, as many as in {@link CodeScan}. */
  private static final int CHUNK_BLOCKS = 4;

  private final CodeBlocks blocks;
  private final NodeOrds nodeOrds;
  private final QueryTables.Table table;
  private final TopSumsPool tops;
  private final long[] masks; // of each block the accepted nodes, the first one's bit the lowest
  private final short[] sums = new short[PqKernels.BLOCK_SIZE];

  /**
   * @param limit ordinals that the first scan asks for
   */
  MaskedScan(
      CodeBlocks blocks,
      NodeOrds nodeOrds,
      QueryTables.Table table,
      TopSumsPool tops,
      AcceptedOrds accepted,
      int limit,
      KnnCollector collector)
      throws IOException {
    super(accepted, limit, true, collector);
    this.blocks = blocks;
    this.nodeOrds = nodeOrds;
    this.table = table;
    this.tops = tops;
    this.masks = masks();
  }

  private long[] masks() throws IOException {
    long[] masks = new long[blocks.layout().blocks()];
    int[] ords = new int[PqKernels.BLOCK_SIZE];
    AcceptedOrds.Cursor cursor = accepted.cursor();
    for (int count = cursor.next(ords); count > 0; count = cursor.next(ords)) {
      for (int i = 0; i < count; i++) {
        int node = nodeOrds.node(ords[i]);
        masks[node / PqKernels.BLOCK_SIZE] |= 1L << node;
      }
    }
    return masks;
  }

  @Override
  Candidates scan(int limit) throws IOException {
    TopSums top = tops.borrow(limit);
    int visited = 0; // since the collector last heard of it
    int scanned = 0;
    for (int block = 0; block < masks.length; block++) {
      if (masks[block] == 0) {
        continue;
      }
      scanBlock(block, top);
      visited += Long.bitCount(masks[block]);
      scored(PqKernels.BLOCK_SIZE);
      if (++scanned % CHUNK_BLOCKS == 0 || visited >= visitsLeft()) {
        visited(visited);
        visited = 0;
        if (collector.earlyTerminated()) {
          break;
        }
      }
    }
    visited(visited);
    Candidates found = top.drain();
    tops.giveBack(top);
    return new Candidates(nodeOrds.ords(found.ords()), found.sums());
  }

  private void scanBlock(int block, TopSums top) {
    long above = blocks.scan(block, table.levels(), top.threshold(), sums) & masks[block];
    for (; above != 0; above &= above - 1) {
      int i = Long.numberOfTrailingZeros(above);
      top.offer(block * PqKernels.BLOCK_SIZE + i, sums[i]);
    }
  }

  private long visitsLeft() {
    return counting() ? collector.visitLimit() - collector.visitedCount() : Long.MAX_VALUE;
  }
}
