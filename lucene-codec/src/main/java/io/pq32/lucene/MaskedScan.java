package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.util.stream.IntStream;
import org.apache.lucene.search.KnnCollector;

/**
 * Scans the blocks that hold accepted codes, all of them, where few are accepted: finding their
 * nodes first costs less than asking of every code that competes whether it is accepted.
 */
final class MaskedScan extends Scan {
  private final CodeBlocks blocks;
  private final NodeOrds nodeOrds;
  private final QueryTables.Table table;
  private final TopSumsPool tops;
  private final long[] masks; // of each block the accepted nodes, the first one's bit the lowest
  private final int[] order; // the blocks that hold any, ascending
  private final short[] sums = new short[CodeBlocks.CHUNK * PqKernels.BLOCK_SIZE];
  private final long[] above = new long[CodeBlocks.CHUNK];

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
    this.order = IntStream.range(0, masks.length).filter(block -> masks[block] != 0).toArray();
  }

  private long[] masks() throws IOException {
    long[] masks = new long[blocks.layout().blocks()];
    int[] ords = new int[PqKernels.BLOCK_SIZE];
    int[] nodes = new int[ords.length];
    AcceptedOrds.Cursor cursor = accepted.cursor();
    for (int count = cursor.next(ords); count > 0; count = cursor.next(ords)) {
      nodeOrds.nodes(ords, count, nodes);
      for (int i = 0; i < count; i++) {
        masks[nodes[i] / PqKernels.BLOCK_SIZE] |= 1L << nodes[i];
      }
    }
    return masks;
  }

  @Override
  Candidates scan(int limit) throws IOException {
    TopSums top = tops.borrow(limit);
    int chunk;
    for (int from = 0; from < order.length && !collector.earlyTerminated(); from += chunk) {
      long left = visitsLeft();
      int visits = 0;
      chunk = 0;
      do {
        visits += Long.bitCount(masks[order[from + chunk]]);
        chunk++;
      } while (chunk < CodeBlocks.CHUNK && from + chunk < order.length && visits < left);
      blocks.scan(order, from, chunk, table.levels(), top.threshold(), sums, above);
      for (int i = 0; i < chunk; i++) {
        offer(order[from + i], i, top);
      }
      scored(chunk * PqKernels.BLOCK_SIZE);
      visited(visits);
    }
    Candidates found = top.drain();
    tops.giveBack(top);
    return new Candidates(nodeOrds.ords(found.ords()), found.sums());
  }

  private void offer(int block, int inChunk, TopSums top) {
    for (long good = above[inChunk] & masks[block]; good != 0; good &= good - 1) {
      int i = Long.numberOfTrailingZeros(good);
      top.offer(block * PqKernels.BLOCK_SIZE + i, sums[inChunk * PqKernels.BLOCK_SIZE + i]);
    }
  }

  private long visitsLeft() {
    return counting() ? collector.visitLimit() - collector.visitedCount() : Long.MAX_VALUE;
  }
}
