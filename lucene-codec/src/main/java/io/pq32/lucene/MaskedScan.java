package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import org.apache.lucene.search.KnnCollector;

/**
 * Scans the blocks that hold accepted codes, all of them, where few are accepted: finding their
 * nodes first costs less than asking of every code that competes whether it is accepted.
 */
final class MaskedScan extends Scan {
  private final CodeBlocks blocks;
  private final NodeOrds nodeOrds;
  private final QueryTables.Table table;
  private final ScratchPool scratches;
  private final long[] masks; // of each block the accepted nodes, the first one's bit the lowest
  private final int[] order; // the blocks that hold any, ascending
  private final int blockCount; // of them

  /**
   * @param limit ordinals that the first scan asks for
   */
  MaskedScan(
      CodeBlocks blocks,
      NodeOrds nodeOrds,
      QueryTables.Table table,
      ScratchPool scratches,
      AcceptedOrds accepted,
      int limit,
      KnnCollector collector)
      throws IOException {
    super(accepted, limit, true, collector);
    this.blocks = blocks;
    this.nodeOrds = nodeOrds;
    this.table = table;
    this.scratches = scratches;
    this.masks = masks();
    this.order = new int[masks.length];
    int count = 0;
    for (int block = 0; block < masks.length; block++) {
      order[count] = block;
      count += masks[block] == 0 ? 0 : 1;
    }
    this.blockCount = count;
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
    ScanScratch scratch = scratches.borrow(limit);
    TopSums top = scratch.top();
    int chunk;
    for (int from = 0; from < blockCount && !collector.earlyTerminated(); from += chunk) {
      long left = visitsLeft();
      int visits = 0;
      chunk = 0;
      do {
        visits += Long.bitCount(masks[order[from + chunk]]);
        chunk++;
      } while (chunk < CodeBlocks.CHUNK && from + chunk < blockCount && visits < left);
      blocks.scan(
          order, from, chunk, table.levels(), top.threshold(), scratch.sums(), scratch.above());
      for (int i = 0; i < chunk; i++) {
        offer(order[from + i], i, scratch);
      }
      scored(chunk * PqKernels.BLOCK_SIZE);
      visited(visits);
    }
    Candidates found = top.drain();
    scratches.giveBack(scratch);
    return new Candidates(nodeOrds.ords(found.ords()), found.sums());
  }

  private void offer(int block, int inChunk, ScanScratch scratch) {
    for (long good = scratch.above()[inChunk] & masks[block]; good != 0; good &= good - 1) {
      int i = Long.numberOfTrailingZeros(good);
      scratch
          .top()
          .offer(
              block * PqKernels.BLOCK_SIZE + i, scratch.sums()[inChunk * PqKernels.BLOCK_SIZE + i]);
    }
  }

  private long visitsLeft() {
    return counting() ? collector.visitLimit() - collector.visitedCount() : Long.MAX_VALUE;
  }
}
