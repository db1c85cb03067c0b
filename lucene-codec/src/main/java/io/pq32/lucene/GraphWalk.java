package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.knn.KnnSearchStrategy;

/**
 * Walks the graph of a segment. The beam holds twice the nodes it expands: those scored on the way
 * are candidates for reranking too. Asked for more, it walks again, wider, until scoring all
 * accepted codes is cheaper. (Going on where it stopped would miss the nodes that the narrower beam
 * has dropped: a search for 700 vectors within a radius found 360.) It starts from the query's
 * seeds too, which scans have no use for: they look at the codes around them anyway.
 *
 * <p>Under a filter it walks over all nodes, as many more of them as the filter is narrow. Walking
 * over accepted nodes only, and from a rejected one to its neighbors (ACORN, Patel et al. 2024),
 * was tried on 60,000 glyph images. Under a random filter of 5 % it found .973 of the ten nearest
 * with 3,000 lists read and 43,800 nodes looked up in the filter, and .955 with half of that; this
 * walk finds .986 with 1,100 lists and 6,700 codes. Under one of 20 %, .968 with 770 lists and
 * 10,700 look-ups against .970 with 280 and 2,300 codes. Only where half of the images pass and the
 * filter depends on the image does it pay (.951 with 650 lists and 9,900 look-ups, where this walk
 * is widened to 1,500 nodes). But the lightest 20 % it finds to .80, whatever it may cost, and
 * nothing tells that it does not reach the others; this walk gives way to a scan there and finds
 * what that finds, .94.
 */
final class GraphWalk implements CodeSearch, BeamSearch.Visits {
  /**
   * Entries that a walk starts from. A query between tight clusters has its neighbors in several of
   * them, which hardly link to each other: ten clusters of 120, recall .96 from one entry, 1 from
   * four. On 120,000 glyph images sixteen cost nothing that could be measured.
   */
  private static final int STARTS = 16;

  /**
   * Of the accepted nodes that a walk should expand, were the filter independent of the query, so
   * many must be there. With fewer the filter keeps the query's surroundings out: what was found
   * lies where the beam ends, which is the least complete part of it. Walks that returned it had a
   * recall of .3 for the farther half of 2,400 vectors. Between .25 and 1 the recall under filters
   * that depend on the vectors differs by less than .01; 1 would have half of the searches under
   * random filters walk twice.
   */
  private static final double LEAST_MET = 0.5;

  private final SearchPlan.Costs costs;
  private final StoredCodes codes;
  private final MappedGraph graph;
  private final QueryTables.Table table;
  private final AcceptedOrds accepted;
  private final KnnCollector collector;
  private final int[] seeds; // nodes
  private final BeamSearch beam;
  private final Unreturned unreturned = new Unreturned();
  private int width; // nodes to expand; 0 before the walk
  private int nextWidth;
  private long walked; // nodes to expand, over all walks
  private final double leastMet;
  private int met; // accepted nodes among those expanded
  private long scored; // nodes of all walks
  private int visited; // accepted nodes of this walk
  private int reported; // of which the collector knows: those of the walks before
  private RowScan scan; // what the walk gave way to

  /**
   * @param costs tell when a scan is cheaper
   * @param width nodes expanded before the first candidates are returned
   */
  GraphWalk(
      SearchPlan.Costs costs,
      StoredCodes codes,
      MappedGraph graph,
      QueryTables.Table table,
      AcceptedOrds accepted,
      int width,
      KnnCollector collector)
      throws IOException {
    this.costs = costs;
    this.codes = codes;
    this.graph = graph;
    this.table = table;
    this.accepted = accepted;
    this.nextWidth = width;
    this.collector = collector;
    this.seeds = seeds(collector, graph);
    GraphMeta meta = graph.meta();
    this.leastMet = LEAST_MET * width * accepted.count() / meta.size();
    this.beam = new BeamSearch(graph, meta.size(), codes.segment(), meta.codeBytes());
  }

  /** The nodes a query wants to start from. Its strategy tells them once. */
  private static int[] seeds(KnnCollector collector, MappedGraph graph) throws IOException {
    if (!(collector.getSearchStrategy() instanceof KnnSearchStrategy.Seeded seeded)) {
      return new int[0];
    }
    int[] nodes = new int[seeded.numberOfEntryPoints()];
    DocIdSetIterator ords = seeded.entryPoints();
    int count = 0;
    while (count < nodes.length && ords.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
      nodes[count++] = graph.node(ords.docID());
    }
    return Arrays.copyOf(nodes, count);
  }

  @Override
  public Candidates next() throws IOException {
    Candidates poor = Candidates.NONE; // what there is if the search is ended
    while (!collector.earlyTerminated()) {
      if (scan == null && width > 0) {
        goOn();
      }
      Candidates found = scan == null ? walk() : scan.next();
      if (scan != null && found.count() == 0) {
        break;
      }
      if (scan == null && met < leastMet) {
        poor = found.count() > poor.count() ? found : poor;
        continue;
      }
      Candidates fresh = unreturned.of(found);
      if (fresh.count() > 0) {
        return fresh;
      }
    }
    return unreturned.of(poor);
  }

  private void goOn() throws IOException {
    int size = graph.meta().size();
    int wanted = met < leastMet ? (int) Math.ceil(leastMet / LEAST_MET) : 2 * met;
    switch (SearchPlan.afterWalk(costs, size, accepted.count(), walked, width, met, wanted)) {
      case SearchPlan.GraphWalk walk -> nextWidth = walk.width();
      case SearchPlan.CodeScan _, SearchPlan.RowScan _ -> {
        int limit = (int) Math.min(accepted.count(), 4L * unreturned.count() + 2L * width);
        scan =
            new RowScan(
                codes, graph, table, codes.tables().scratches(), accepted, limit, false, collector);
      }
    }
  }

  @Override
  public long codesScored() {
    return scored + (scan == null ? 0 : scan.codesScored());
  }

  /** Whether the walk ended in a scan of all accepted codes. */
  @Override
  public boolean exhaustive() {
    return scan != null;
  }

  private Candidates walk() throws IOException {
    beam.start(2 * nextWidth);
    visited = 0;
    offerEntries();
    offerSeeds();
    width = nextWidth;
    walked += width;
    beam.run(table.levels(), width, this);
    int[] ords = new int[beam.count()];
    short[] sums = new short[ords.length];
    int count = 0;
    met = 0;
    for (int i = 0; i < ords.length; i++) {
      int ord = graph.ord(beam.node(i));
      if (accepted.contains(ord)) {
        met += i < width ? 1 : 0;
        ords[count] = ord;
        sums[count++] = beam.sum(i);
      }
    }
    return new Candidates(ords, sums).first(count);
  }

  private void offerEntries() {
    GraphMeta meta = graph.meta();
    short[] sums = new short[meta.entryBlocks() * PqKernels.BLOCK_SIZE];
    int[] best = new int[STARTS];
    int found =
        EntrySample.best(
            graph.segment(), meta.entryCount(), meta.codeBytes(), table.levels(), sums, best);
    scored += meta.entryCount();
    for (int i = 0; i < found; i++) {
      beam.offer(best[i] * meta.entryStride(), sums[best[i]]);
    }
    beam.offer(0, sums[0]); // from where every node can be reached
  }

  /** Beside the entries, not instead of them: a query's guess may be far off. */
  private void offerSeeds() throws IOException {
    int codeBytes = graph.meta().codeBytes();
    int[] nodes = new int[PqKernels.BLOCK_SIZE];
    short[] sums = new short[PqKernels.BLOCK_SIZE];
    byte[] scratch = new byte[PqKernels.BLOCK_SIZE * codeBytes];
    int count;
    for (int from = 0; from < seeds.length; from += count) {
      count = Math.min(nodes.length, seeds.length - from);
      System.arraycopy(seeds, from, nodes, 0, count);
      PqKernels.instance()
          .score(codes.segment(), 0, nodes, count, codeBytes, table.levels(), scratch, sums);
      scored += count;
      for (int i = 0; i < count; i++) {
        beam.offer(nodes[i], sums[i]);
      }
    }
  }

  /**
   * Only what may be returned counts as visited: the limit is made from the size of the filter. And
   * only what the walks before have not visited.
   */
  @Override
  public boolean proceed(int[] nodes, int count) throws IOException {
    scored += count;
    if (accepted instanceof AcceptedOrds.All) {
      visited += count;
    } else {
      for (int i = 0; i < count; i++) {
        visited += accepted.contains(graph.ord(nodes[i])) ? 1 : 0;
      }
    }
    if (visited > reported) {
      collector.incVisitedCount(visited - reported);
      reported = visited;
    }
    return !collector.earlyTerminated();
  }

  @Override
  public long left() {
    return Math.max(1, collector.visitLimit() - collector.visitedCount());
  }
}
