package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.AdcTable;
import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.ProjectionBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.util.IORunnable;
import org.apache.lucene.util.InfoStream;
import org.apache.lucene.util.hnsw.RandomVectorScorerSupplier;
import org.apache.lucene.util.hnsw.UpdateableRandomVectorScorer;

/**
 * Builds the graph of a segment: candidates are found on codes, and chosen on full vectors.
 *
 * <p>Nodes are inserted in batches. Every node of a batch looks for candidates in the graph as it
 * was before the batch, and among the batch itself and the nodes just before it, whose codes are
 * scanned. So the nodes of a batch are independent of each other, the graph is the same for any
 * number of threads, and a node finds its neighbors of the same locality without a walk.
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

  /** Nodes before the batch whose codes are scanned for candidates. */
  private static final int WINDOW = 768;

  /**
   * Nodes from the first to the last one of a batch at most, which are scanned too: between the
   * nodes to insert may lie others that have their links.
   */
  private static final int SPAN = 4 * BATCH;

  private static final int PROGRESS_INTERVAL = 100_000;

  private final FloatVectorValues values;
  private final RandomVectorScorerSupplier scorers;
  private final ProductQuantizer quantizer;
  private final MemorySegment codes; // [node][subQuantizer]
  private final int codeBytes;
  private final int[] nodeToOrd;
  private final int maxConn;
  private final int beamWidth;
  private final CooperativeTasks tasks;
  private final BuiltGraph graph;
  private final ConcurrentLinkedQueue<Worker> idle = new ConcurrentLinkedQueue<>();
  private final GraphSeed.Links seed; // null: every node is inserted
  private final BitSet linkable; // nodes in the graph, and in the batch

  // Codes of the entries so far, and of window and batch, as transposed blocks.
  private final byte[] entries;
  private final int[] entryNodes;
  private final int entryStride;
  private int entryCount;
  private final byte[] recent;
  private int recentStart;
  private int recentCount;

  private final int[] links; // [node of batch][maxConn]
  private final int[] linkCounts; // [node of batch]

  /**
   * @param scorers score full vectors by ordinal
   * @param codes {@code [node][subQuantizer]}
   * @param seed what to start with, or null
   */
  GraphBuilder(
      FloatVectorValues values,
      RandomVectorScorerSupplier scorers,
      ProductQuantizer quantizer,
      MemorySegment codes,
      int[] nodeToOrd,
      GraphSeed seed,
      Pq32HnswConfig config,
      CooperativeTasks tasks) {
    this.values = values;
    this.scorers = scorers;
    this.quantizer = quantizer;
    this.codes = codes;
    this.codeBytes = quantizer.layout().codeBytes();
    this.nodeToOrd = nodeToOrd;
    this.maxConn = config.maxConn();
    this.beamWidth = Math.max(config.beamWidth(), maxConn);
    this.tasks = tasks;
    this.graph = new BuiltGraph(nodeToOrd.length, GraphMeta.maxDegree(maxConn));
    this.entryStride = EntrySample.stride(nodeToOrd.length);
    this.entryNodes = new int[Math.ceilDiv(nodeToOrd.length, entryStride)];
    int entryBlocks = Math.ceilDiv(entryNodes.length, PqKernels.BLOCK_SIZE);
    this.entries = new byte[entryBlocks * PqKernels.BLOCK_SIZE * codeBytes];
    this.seed = seed == null ? null : seed.links(nodeToOrd);
    this.linkable = seed == null ? new BitSet(nodeToOrd.length) : this.seed.nodes();
    this.recent = new byte[(WINDOW + SPAN) * codeBytes];
    this.links = new int[BATCH * maxConn];
    this.linkCounts = new int[BATCH];
  }

  int entryStride() {
    return entryStride;
  }

  /** Builds. {@code abortCheck} throws when nobody wants the graph any more. */
  BuiltGraph build(InfoStream infoStream, IORunnable abortCheck) throws IOException {
    int size = nodeToOrd.length;
    long start = System.nanoTime();
    try {
      if (seed != null) {
        plant(infoStream, abortCheck);
      }
      int[] batch = new int[BATCH];
      for (int first = linkable.nextClearBit(0); first < size; ) {
        abortCheck.run();
        int count = 0;
        int next = first;
        for (; next < size && count < BATCH && next - first < SPAN; ) {
          batch[count++] = next;
          next = linkable.nextClearBit(next + 1);
        }
        int inBatch = count;
        loadRecent(batch, count);
        tasks.run(
            Math.ceilDiv(count, TASK),
            task ->
                withWorker(
                    worker ->
                        worker.choose(batch, task * TASK, Math.min(inBatch, (task + 1) * TASK))));
        link(batch, count);
        for (int i = 0; i < count; i++) {
          addEntry(batch[i]);
        }
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
      abortCheck.run();
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
  private void plant(InfoStream infoStream, IORunnable abortCheck) throws IOException {
    int size = nodeToOrd.length;
    int round = BATCH * TASKS_PER_BATCH * TASKS_PER_BATCH;
    for (int first = 0; first < size; first += round) {
      abortCheck.run();
      int from = first;
      int count = Math.min(round, size - first);
      tasks.run(
          Math.ceilDiv(count, BATCH),
          task ->
              withWorker(
                  worker ->
                      worker.plant(
                          from + task * BATCH, from + Math.min(count, (task + 1) * BATCH))));
    }
    int planted = 0;
    for (int node = linkable.nextSetBit(0); node >= 0; node = linkable.nextSetBit(node + 1)) {
      if (graph.degree(node) == 0) {
        linkable.clear(node); // all around it is deleted: to be inserted like the others
      } else {
        addEntry(node);
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

  private void loadRecent(int[] batch, int count) {
    recentStart = Math.max(0, batch[0] - WINDOW);
    recentCount = batch[count - 1] + 1 - recentStart;
    for (int i = 0; i < count; i++) {
      linkable.set(batch[i]);
    }
    byte[] rows = new byte[PqKernels.BLOCK_SIZE * codeBytes];
    for (int i = 0; i < recentCount; i += PqKernels.BLOCK_SIZE) {
      int inBlock = Math.min(PqKernels.BLOCK_SIZE, recentCount - i);
      MemorySegment.copy(
          codes,
          (long) (recentStart + i) * codeBytes,
          MemorySegment.ofArray(rows),
          0,
          (long) inBlock * codeBytes);
      BlocksWriter.transpose(rows, codeBytes, recent, i * codeBytes);
    }
  }

  private void addEntry(int node) {
    if (node % entryStride == 0) {
      entryNodes[entryCount] = node;
      setEntry(entryCount++, node);
    }
  }

  private void setEntry(int entry, int node) {
    int block = entry / PqKernels.BLOCK_SIZE * PqKernels.BLOCK_SIZE * codeBytes;
    for (int m = 0; m < codeBytes; m++) {
      entries[block + m * PqKernels.BLOCK_SIZE + entry % PqKernels.BLOCK_SIZE] =
          codes.get(JAVA_BYTE, (long) node * codeBytes + m);
    }
  }

  /** Codes of the entries of a graph that is built, {@code [block][subQuantizer][BLOCK_SIZE]}. */
  byte[] entries() {
    for (int entry = 0; entry < entryCount; entry++) {
      setEntry(entry, entry * entryStride); // they were inserted in another order than they have
    }
    return entries;
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
    private final BeamSearch beam;
    private final short[] entrySums = new short[entries.length / codeBytes];
    private final short[] recentSums = new short[WINDOW + SPAN];
    private final short[] blockSums = new short[PqKernels.BLOCK_SIZE];
    private final TopSums top = new TopSums(beamWidth + 1, codeBytes);
    private final int[] row = new int[graph.maxDegree()];
    private final int[] beyond = new int[graph.maxDegree()];
    private final LinkCandidates candidates =
        new LinkCandidates(Math.max(beamWidth + 1, graph.maxDegree() + BATCH));
    private final int[] chosen = new int[2 * maxConn];

    Worker() throws IOException {
      vectors = values.copy();
      scorer = scorers.copy().scorer();
      diversity = scorers.copy().scorer();
      beam = new BeamSearch(graph, nodeToOrd.length, codes, codeBytes);
    }

    /** Chooses the links of some nodes of a batch. */
    void choose(int[] batch, int from, int to) throws IOException {
      projection.clear();
      for (int i = from; i < to; i++) {
        projection.add(vectors.vectorValue(nodeToOrd[batch[i]]));
      }
      projection.project();
      for (int i = from; i < to; i++) {
        table.fill(projection, i - from);
        findCandidates(batch[i]);
        candidates.score(scorer, nodeToOrd, batch[i]);
        linkCounts[i] = candidates.chooseDiverse(diversity, nodeToOrd, maxConn, chosen, 0);
        System.arraycopy(chosen, 0, links, i * maxConn, linkCounts[i]);
      }
    }

    private void findCandidates(int node) throws IOException {
      byte[] levels = table.levels();
      beam.start(beamWidth + 1); // the node itself is found too
      PqKernels kernels = PqKernels.instance();
      MemorySegment segment = MemorySegment.ofArray(recent);
      top.clear();
      for (int first = 0; first < recentCount; first += PqKernels.BLOCK_SIZE) {
        int count = Math.min(PqKernels.BLOCK_SIZE, recentCount - first);
        long above =
            kernels.scanBlock(
                segment, (long) first * codeBytes, codeBytes, levels, top.threshold(), blockSums);
        for (above &= -1L >>> PqKernels.BLOCK_SIZE - count; above != 0; above &= above - 1) {
          int i = Long.numberOfTrailingZeros(above);
          if (linkable.get(recentStart + first + i)) {
            top.offer(first + i, blockSums[i]);
          }
        }
        System.arraycopy(blockSums, 0, recentSums, first, count);
      }
      for (int i : top.drain().ords()) {
        beam.offer(recentStart + i, recentSums[i]);
      }
      if (entryCount > 0) {
        int best =
            EntrySample.best(
                MemorySegment.ofArray(entries), entryCount, codeBytes, levels, entrySums);
        beam.offer(entryNodes[best], entrySums[best]);
      }
      beam.run(levels, beamWidth + 1, BeamSearch.Visits.ALL);
      candidates.clear();
      for (int i = 0; i < beam.count(); i++) {
        if (beam.node(i) != node) {
          candidates.add(beam.node(i));
        }
      }
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
