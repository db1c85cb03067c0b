package io.pq32.lucene;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.Metric;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.ProjectionBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.util.InfoStream;
import org.apache.lucene.util.hnsw.RandomVectorScorerSupplier;
import org.apache.lucene.util.hnsw.UpdateableRandomVectorScorer;

/**
 * Builds the graph of a segment: candidates are found on codes, and chosen on full vectors.
 *
 * <p>Nodes are inserted in batches. Every node of a batch looks for candidates among the nodes
 * before the batch and the batch itself, by scanning their codes block by block, those near its own
 * block first. So the nodes of a batch are independent of each other, and the graph is the same for
 * any number of threads. (Walking the graph as it grows, as HNSW does, finds the same candidates;
 * indexing 50,000 glyph images takes 1.3 times as long then.)
 *
 * <p>The candidates of a node, {@code beamWidth} of them, get their exact scores, and links go to
 * those that are nearer to the node than to any neighbor chosen before (Malkov and Yashunin 2018,
 * algorithm 4). Choosing on codes alone costs three points of recall. Links go both ways; a node
 * whose row is full chooses again.
 *
 * <p>A merge may start with the links of the graph that brings most of its vectors; then only the
 * vectors of the others are inserted, and nodes that have lost neighbors choose again.
 */
final class GraphBuilder {
  /** Nodes of a batch: enough work for some threads, few enough to leave the graph up to date. */
  private static final int BATCH = 256;

  /** Nodes of one task: a projection batch. */
  private static final int TASK = 32;

  /** Threads that a batch has work for. */
  static final int TASKS_PER_BATCH = BATCH / TASK;

  /**
   * Codes in a row of which none is among the best that end a scan. A quarter costs glyph images
   * .007 recall@10 and saves nothing that shows.
   */
  private static final int PATIENCE = 1024;

  private static final int PROGRESS_INTERVAL = 100_000;

  private final FloatVectorValues values;
  private final RandomVectorScorerSupplier scorers;
  private final ProductQuantizer quantizer;
  private final CodeBlocks blocks;
  private final int[] nodeToOrd;
  private final int maxConn;
  private final int leastLinks; // of a new node, diverse or not
  private final int beamWidth;
  private final CooperativeTasks tasks;
  private final BuiltGraph graph;
  private final ConcurrentLinkedQueue<Worker> idle = new ConcurrentLinkedQueue<>();
  private final GraphSeed.Links seed; // null: every node is inserted
  private final BitSet linkable; // nodes in the graph, and in the batch
  private final BitSet outliers; // nodes that others do not choose

  private final int[] links; // [node of batch][maxConn]
  private final int[] linkCounts; // [node of batch]

  /**
   * @param scorers score full vectors by ordinal
   * @param blocks codes of the nodes
   * @param outliers ascending ordinals of what every search scores: were others to link to it, half
   *     of them would first of all, and it leads nowhere
   * @param seed what to start with, or null
   */
  GraphBuilder(
      FloatVectorValues values,
      RandomVectorScorerSupplier scorers,
      ProductQuantizer quantizer,
      CodeBlocks blocks,
      int[] nodeToOrd,
      int[] outliers,
      GraphSeed seed,
      Pq32HnswConfig config,
      CooperativeTasks tasks) {
    this.values = values;
    this.scorers = scorers;
    this.quantizer = quantizer;
    this.blocks = blocks;
    this.nodeToOrd = nodeToOrd;
    this.maxConn = config.maxConn();
    // By inner product a long vector is nearer to all than they are to each other, so that none of
    // them is diverse beside it: one of 1e18 among 5,000 others took .04 of the recall@10.
    this.leastLinks = quantizer.metric() == Metric.DOT_PRODUCT ? maxConn / 2 : 0;
    this.beamWidth = Math.max(config.beamWidth(), maxConn);
    this.tasks = tasks;
    this.graph = new BuiltGraph(nodeToOrd.length, GraphMeta.maxDegree(maxConn));
    this.seed = seed == null ? null : seed.links(nodeToOrd);
    this.linkable = seed == null ? new BitSet(nodeToOrd.length) : this.seed.nodes();
    this.outliers = nodes(outliers);
    this.links = new int[BATCH * maxConn];
    this.linkCounts = new int[BATCH];
  }

  private BitSet nodes(int[] ords) {
    BitSet nodes = new BitSet();
    for (int node = 0; node < nodeToOrd.length && ords.length > 0; node++) {
      if (Arrays.binarySearch(ords, nodeToOrd[node]) >= 0) {
        nodes.set(node);
      }
    }
    return nodes;
  }

  /** Builds, for as long as the check of the tasks says that somebody wants the graph. */
  BuiltGraph build(InfoStream infoStream) throws IOException {
    int size = nodeToOrd.length;
    long start = System.nanoTime();
    try {
      if (seed != null) {
        plant(infoStream);
      }
      int[] batch = new int[BATCH];
      for (int first = linkable.nextClearBit(0); first < size; ) {
        int count = 0;
        int next = first;
        for (; next < size && count < BATCH; next = linkable.nextClearBit(next + 1)) {
          batch[count++] = next;
        }
        for (int i = 0; i < count; i++) {
          linkable.set(batch[i]);
        }
        int inBatch = count;
        tasks.run(
            Math.ceilDiv(count, TASK),
            task ->
                withWorker(
                    worker ->
                        worker.choose(batch, task * TASK, Math.min(inBatch, (task + 1) * TASK))));
        link(batch, count);
        int done = Math.min(next, size);
        boolean report = done / PROGRESS_INTERVAL > first / PROGRESS_INTERVAL;
        first = next;
        if (report && infoStream.isEnabled(CodebookPolicy.INFO_COMPONENT)) {
          infoStream.message(
              CodebookPolicy.INFO_COMPONENT,
              "graph: "
                  + done
                  + " of "
                  + size
                  + " nodes after "
                  + (System.nanoTime() - start) / 1_000_000
                  + " ms");
        }
      }
      tasks.run(
          Math.ceilDiv(size, BATCH),
          task ->
              withWorker(worker -> worker.trim(task * BATCH, Math.min(size, (task + 1) * BATCH))));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Reachability.repair(graph, size);
    return graph;
  }

  /** Starts with the links of the seed. */
  private void plant(InfoStream infoStream) {
    int size = nodeToOrd.length;
    tasks.run(
        Math.ceilDiv(size, BATCH),
        task ->
            withWorker(worker -> worker.plant(task * BATCH, Math.min(size, (task + 1) * BATCH))));
    int planted = 0;
    for (int node = linkable.nextSetBit(0); node >= 0; node = linkable.nextSetBit(node + 1)) {
      if (graph.degree(node) == 0) {
        linkable.clear(node); // all around it is deleted: to be inserted like the others
      } else {
        planted++;
      }
    }
    if (infoStream.isEnabled(CodebookPolicy.INFO_COMPONENT)) {
      infoStream.message(
          CodebookPolicy.INFO_COMPONENT,
          "graph: starts with the links of " + planted + " of " + size + " nodes");
    }
  }

  /** Something that a worker does. */
  @FunctionalInterface
  private interface Job {
    void run(Worker worker) throws IOException;
  }

  private void withWorker(Job job) {
    try {
      Worker worker = idle.poll();
      if (worker == null) {
        worker = new Worker();
      }
      job.run(worker);
      idle.add(worker);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes the links chosen, then the links back, target by target. */
  private void link(int[] batch, int count) {
    int total = 0;
    for (int i = 0; i < count; i++) {
      int[] row = Arrays.copyOfRange(links, i * maxConn, i * maxConn + linkCounts[i]);
      graph.set(batch[i], row, row.length);
      total += linkCounts[i];
    }
    long[] backLinks = new long[total]; // target << 32 | source
    int position = 0;
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < linkCounts[i]; j++) {
        backLinks[position++] = (long) links[i * maxConn + j] << 32 | batch[i];
      }
    }
    Arrays.sort(backLinks);
    int[] starts = new int[total + 1]; // where the links to each target start
    int targets = 0;
    for (int i = 0; i < total; i++) {
      if (i == 0 || backLinks[i] >>> 32 != backLinks[i - 1] >>> 32) {
        starts[targets++] = i;
      }
    }
    starts[targets] = total;
    int targetCount = targets;
    tasks.run(
        Math.ceilDiv(targetCount, TASK),
        task ->
            withWorker(
                worker -> {
                  for (int t = task * TASK; t < Math.min(targetCount, (task + 1) * TASK); t++) {
                    worker.linkBack(backLinks, starts[t], starts[t + 1]);
                  }
                }));
  }

  /** Scratch of one thread. */
  private final class Worker {
    private final FloatVectorValues vectors;
    private final UpdateableRandomVectorScorer scorer;
    private final UpdateableRandomVectorScorer diversity;
    private final ProjectionBatch projection = quantizer.newBatch(TASK);
    private final AdcTable table = quantizer.newTable();
    private final AdcTable headTable = quantizer.newTable();
    private final byte[] head = new byte[quantizer.layout().codeBytes()];
    private final BlockOrder blockOrder = new BlockOrder();
    private int[] order; // blocks, those near one block first
    private int linkableBlocks; // in that order
    private int ordered; // that block
    private final short[] sums = new short[CodeBlocks.CHUNK * PqKernels.BLOCK_SIZE];
    private final long[] above = new long[CodeBlocks.CHUNK];
    private final TopSums top = new TopSums(beamWidth + 1, head.length);
    private final int[] row = new int[graph.maxDegree()];
    private final int[] beyond = new int[graph.maxDegree()];
    private final LinkCandidates candidates =
        new LinkCandidates(Math.max(beamWidth + 1, graph.maxDegree() + BATCH));
    private final int[] chosen = new int[2 * maxConn];

    Worker() throws IOException {
      vectors = values.copy();
      scorer = scorers.copy().scorer();
      diversity = scorers.copy().scorer();
    }

    /** Chooses the links of some nodes of a batch. */
    void choose(int[] batch, int from, int to) throws IOException {
      ordered = -1; // there may be more linkable nodes than before
      projection.clear();
      for (int i = from; i < to; i++) {
        projection.add(vectors.vectorValue(nodeToOrd[batch[i]]));
      }
      projection.project();
      for (int i = from; i < to; i++) {
        table.fill(projection, i - from);
        orderBlocks(batch[i] / PqKernels.BLOCK_SIZE);
        findCandidates(batch[i]);
        candidates.score(scorer, nodeToOrd, batch[i]);
        linkCounts[i] = candidates.chooseDiverse(diversity, nodeToOrd, maxConn, chosen, 0);
        linkCounts[i] = candidates.fill(leastLinks, chosen, linkCounts[i]);
        System.arraycopy(chosen, 0, links, i * maxConn, linkCounts[i]);
      }
    }

    /** Orders the blocks that have linkable nodes, as seen from one of them. */
    private void orderBlocks(int block) {
      if (block != ordered) {
        blocks.copyHead(block, head);
        float[] point = new float[quantizer.layout().projectedDimension()];
        quantizer.addDecodedTo(head, 0, point, 0);
        headTable.fillProjected(point, 0);
        linkableBlocks = Math.ceilDiv(linkable.length(), PqKernels.BLOCK_SIZE);
        order = blockOrder.nearestFirst(blocks, headTable.levels(), linkableBlocks);
        ordered = block;
      }
    }

    private void findCandidates(int node) {
      top.clear();
      int idle = 0; // codes since one was among the best
      int chunk;
      for (int from = 0; from < linkableBlocks && idle < PATIENCE; from += chunk) {
        chunk = Math.min(CodeBlocks.CHUNK, linkableBlocks - from);
        blocks.scan(order, from, chunk, table.levels(), top.threshold(), sums, above);
        for (int i = 0; i < chunk; i++) {
          idle = offer(order[from + i], i) ? 0 : idle + PqKernels.BLOCK_SIZE;
        }
      }
      candidates.clear();
      int[] found = top.drain().ords();
      for (int i = 0; i < Math.min(found.length, beamWidth + 1); i++) {
        if (found[i] != node) { // it is found too
          candidates.add(found[i]);
        }
      }
    }

    /** Offers the linkable nodes that are good in a block; returns whether there were any. */
    private boolean offer(int block, int inChunk) {
      int first = block * PqKernels.BLOCK_SIZE;
      boolean news = false;
      for (long good = above[inChunk]; good != 0; good &= good - 1) {
        int i = Long.numberOfTrailingZeros(good);
        if (linkable.get(first + i) && !outliers.get(first + i)) { // padding is not linkable
          top.offer(first + i, sums[inChunk * PqKernels.BLOCK_SIZE + i]);
          news = true;
        }
      }
      return news;
    }

    /**
     * Adds the links back to one target: those of {@code backLinks} from {@code from} to {@code
     * to}.
     */
    void linkBack(long[] backLinks, int from, int to) throws IOException {
      int target = (int) (backLinks[from] >>> 32);
      int degree = graph.neighbors(target, row);
      candidates.clear();
      for (int i = 0; i < degree; i++) {
        candidates.add(row[i]);
      }
      for (int i = from; i < to; i++) {
        int source = (int) backLinks[i];
        if (!candidates.contains(source)) {
          candidates.add(source);
        }
      }
      if (candidates.count() <= graph.maxDegree()) {
        graph.set(target, candidates.nodes(), candidates.count());
      } else {
        shrink(target);
      }
    }

    /** Brings the degrees of some nodes down to what is stored. */
    void trim(int from, int to) throws IOException {
      for (int node = from; node < to; node++) {
        if (graph.degree(node) > 2 * maxConn) {
          int degree = graph.neighbors(node, row);
          candidates.clear();
          for (int i = 0; i < degree; i++) {
            candidates.add(row[i]);
          }
          shrink(node);
        }
      }
    }

    /** Copies the links of those of some nodes that the seed has. */
    void plant(int from, int to) throws IOException {
      for (int node = linkable.nextSetBit(from); node >= 0 && node < to; ) {
        int kept = seed.read(node, row, beyond, candidates);
        candidates.score(scorer, nodeToOrd, node);
        int limit = Math.max(kept, 2 * maxConn);
        int count = candidates.chooseDiverse(diversity, nodeToOrd, limit, row, kept);
        // Fewer links than before would be fewer still after the next merge: after ten of them,
        // each
        // with a tenth of the vectors deleted, recall@10 of texts was a point below a new graph's.
        count = candidates.fill(Math.min(limit, seed.degree(node, beyond)), row, count);
        graph.set(node, row, count);
        node = linkable.nextSetBit(node + 1);
      }
    }

    private void shrink(int node) throws IOException {
      candidates.score(scorer, nodeToOrd, node);
      int count = candidates.chooseDiverse(diversity, nodeToOrd, 2 * maxConn, chosen, 0);
      graph.set(node, chosen, count);
    }
  }
}
