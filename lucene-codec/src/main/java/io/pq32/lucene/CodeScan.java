package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import org.apache.lucene.search.KnnCollector;

/**
 * Scans codes in blocks of 64, those with the nearest heads first, until blocks hold nothing new.
 *
 * <p>Whoever reads blocks in that order meets the best codes early: on text-768 the first 20 % hold
 * .93 of the ten nearest, on glyphs-784 .99. How far to read differs from query to query, so the
 * scan ends after as many accepted codes of which none came among those kept as the query's {@link
 * Tolerance#patience} lasts. At k = 10 and by default, 4,096 codes, that reads 42 % of text-768 for
 * .985, where a fixed share for all queries would have to be 50 %, and 17 % of glyphs-784 for .989,
 * instead of 22 %.
 */
final class CodeScan extends Scan {
  private final CodeBlocks blocks;
  private final NodeOrds nodeOrds;
  private final QueryTables.Table table;
  private final ScratchPool scratches;
  private final long patience;
  private boolean exhaustive;

  /**
   * @param limit ordinals that the first scan asks for
   */
  CodeScan(
      CodeBlocks blocks,
      NodeOrds nodeOrds,
      QueryTables.Table table,
      ScratchPool scratches,
      AcceptedOrds accepted,
      int limit,
      KnnCollector collector) {
    super(accepted, limit, true, collector);
    this.blocks = blocks;
    this.nodeOrds = nodeOrds;
    this.table = table;
    this.scratches = scratches;
    this.patience = Tolerance.of(collector).patience();
  }

  @Override
  Candidates scan(int limit) throws IOException {
    ScanScratch scratch = scratches.borrow(limit);
    TopSums top = scratch.top();
    int blockCount = blocks.layout().blocks();
    int[] order = scratch.order().nearestFirst(blocks, table, blockCount);
    int size = blocks.layout().size();
    double share = (double) accepted.count() / size; // of the codes that are accepted
    long scanned = 0;
    double lastNews = 0; // accepted codes scanned, as many as there should be, at the last find
    int chunk;
    for (int from = 0; from < blockCount && !collector.earlyTerminated(); from += chunk) {
      chunk = Math.min(counting() ? chunkBlocks(share) : CodeBlocks.CHUNK, blockCount - from);
      blocks.scan(
          order, from, chunk, table.levels(), top.threshold(), scratch.sums(), scratch.above());
      boolean news = false;
      for (int i = 0; i < chunk; i++) {
        news |= offer(order[from + i], i, scratch);
      }
      long before = (long) (scanned * share);
      scanned = Math.min(size, scanned + (long) chunk * PqKernels.BLOCK_SIZE);
      scored(chunk * PqKernels.BLOCK_SIZE);
      visited((int) ((long) (scanned * share) - before));
      if (news || top.count() < limit) {
        lastNews = scanned * share;
      } else if (scanned * share - lastNews >= patience) {
        break;
      }
    }
    exhaustive = scanned == size;
    Candidates found = top.drain();
    scratches.giveBack(scratch);
    return new Candidates(nodeOrds.ords(found.ords()), found.sums());
  }

  @Override
  public boolean exhaustive() {
    return exhaustive;
  }

  /** Offers what is good in a block of the chunk; returns whether there was anything. */
  private boolean offer(int block, int inChunk, ScanScratch scratch) throws IOException {
    long good = scratch.above()[inChunk];
    int first = block * PqKernels.BLOCK_SIZE;
    int left = blocks.layout().size() - first;
    if (left < PqKernels.BLOCK_SIZE) { // the last block is padded
      good &= -1L >>> PqKernels.BLOCK_SIZE - left;
    }
    boolean news = false;
    for (; good != 0; good &= good - 1) {
      int i = Long.numberOfTrailingZeros(good);
      if (accepted instanceof AcceptedOrds.All || accepted.contains(nodeOrds.ord(first + i))) {
        scratch.top().offer(first + i, scratch.sums()[inChunk * PqKernels.BLOCK_SIZE + i]);
        news = true;
      }
    }
    return news;
  }

  /** A chunk no longer than what the collector still lets us visit, rounded up to a block. */
  private int chunkBlocks(double share) {
    double left = Math.max(1, collector.visitLimit() - collector.visitedCount());
    return (int) Math.clamp(Math.ceil(left / share / PqKernels.BLOCK_SIZE), 1, CodeBlocks.CHUNK);
  }
}
