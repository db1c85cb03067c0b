package io.pq32.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.LongField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.TermQuery;

/**
 * Filters for vectors without metadata: random shares, and one that accepts nothing near the query.
 *
 * <p>For the latter some vectors are drawn as pivots. Every document is marked with the pivots that
 * it is farther from than half of the documents are, and a query asks for those marked with the
 * pivot that is nearest to it.
 */
final class SyntheticFilters {
  static final String FAR = "far-half";

  private static final double[] SHARES = {.0001, .001, .01, .05, .2, .5, .99};

  private static final int PIVOTS = 16;

  private static final String PLACE_FIELD = "synthetic.place";
  private static final String FAR_FIELD = "synthetic.far";

  private final Dataset data;
  private final int k;
  private final long seed;
  private final Progress.Factory progress;

  private SyntheticFilters(Dataset data, int k, long seed, Progress.Factory progress) {
    this.data = data;
    this.k = k;
    this.seed = seed;
    this.progress = progress;
  }

  /**
   * Makes them.
   *
   * @param k neighbors that will be asked for
   */
  static FilterSet of(Dataset data, int k, long seed, Progress.Factory progress)
      throws InterruptedException {
    return new SyntheticFilters(data, k, seed, progress).make();
  }

  private FilterSet make() throws InterruptedException {
    int[] places = places();
    List<FilterCase> cases = new ArrayList<>();
    for (double share : SHARES) {
      cases.add(share(share, places));
    }
    VectorSet pivots = data.base().sample(PIVOTS, seed);
    BitSet[] far = far(pivots);
    cases.add(far(pivots, far));
    return new FilterSet(cases, fields(places, far));
  }

  /** A random order of the vectors: the first so many of it are a random share. */
  private int[] places() {
    int[] places = new int[data.base().size()];
    Random random = new Random(seed);
    for (int i = 0; i < places.length; i++) {
      int other = random.nextInt(i + 1);
      places[i] = places[other];
      places[other] = i;
    }
    return places;
  }

  private FilterCase share(double share, int[] places) throws InterruptedException {
    int count = (int) Math.max(1, Math.round(share * places.length));
    BitSet accepted = new BitSet();
    for (int id = 0; id < places.length; id++) {
      accepted.set(id, places[id] < count);
    }
    var filter =
        new FilterCase.Filter(LongField.newRangeQuery(PLACE_FIELD, 0, count - 1), accepted);
    GroundTruth truth =
        FilterCase.truth(data, data.queries(), filter, Math.min(k, count), progress);
    return new FilterCase(
        String.format(Locale.ROOT, "random-%s%%", Double.toString(share * 100)),
        false,
        new Dataset(data.name(), data.base(), data.queries(), data.similarity(), truth),
        Collections.nCopies(data.queries().size(), filter));
  }

  /** The farther half of the vectors, by pivot. */
  private BitSet[] far(VectorSet pivots) {
    BitSet[] far = new BitSet[pivots.size()];
    double[] distances = new double[data.base().size()];
    float[] vector = new float[data.base().dimension()];
    try (Progress task = progress.start("far halves", far.length)) {
      for (int pivot = 0; pivot < far.length; pivot++) {
        float[] center = pivots.get(pivot);
        for (int id = 0; id < distances.length; id++) {
          data.base().copy(id, vector);
          distances[id] = data.similarity().distance(center, vector);
        }
        double[] sorted = distances.clone();
        Arrays.sort(sorted);
        far[pivot] = new BitSet();
        for (int id = 0; id < distances.length; id++) {
          far[pivot].set(id, distances[id] >= sorted[sorted.length / 2]);
        }
        task.step(1);
      }
    }
    return far;
  }

  private FilterCase far(VectorSet pivots, BitSet[] far) throws InterruptedException {
    List<List<Integer>> queries = new ArrayList<>();
    for (int pivot = 0; pivot < far.length; pivot++) {
      queries.add(new ArrayList<>());
    }
    for (int q = 0; q < data.queries().size(); q++) {
      queries.get(nearest(pivots, data.queries().get(q))).add(q);
    }
    int[][] neighbors = new int[data.queries().size()][];
    FilterCase.Filter[] filters = new FilterCase.Filter[neighbors.length];
    for (int pivot = 0; pivot < far.length; pivot++) {
      int[] asking = queries.get(pivot).stream().mapToInt(Integer::intValue).toArray();
      if (asking.length == 0) {
        continue;
      }
      var filter =
          new FilterCase.Filter(
              new TermQuery(new Term(FAR_FIELD, Integer.toString(pivot))), far[pivot]);
      int depth = Math.min(k, far[pivot].cardinality());
      GroundTruth truth =
          FilterCase.truth(data, data.queries().select(asking), filter, depth, progress);
      for (int i = 0; i < asking.length; i++) {
        neighbors[asking[i]] = truth.neighbors()[i];
        filters[asking[i]] = filter;
      }
    }
    return new FilterCase(
        FAR,
        true,
        new Dataset(
            data.name(),
            data.base(),
            data.queries(),
            data.similarity(),
            new GroundTruth(neighbors)),
        List.of(filters));
  }

  private int nearest(VectorSet pivots, float[] query) {
    int nearest = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int pivot = 0; pivot < pivots.size(); pivot++) {
      double distance = data.similarity().distance(query, pivots.get(pivot));
      if (distance < least) {
        least = distance;
        nearest = pivot;
      }
    }
    return nearest;
  }

  private DocumentFields fields(int[] places, BitSet[] far) {
    int[] ids = new int[data.base().row(places.length - 1) + 1]; // [row]
    for (int id = 0; id < places.length; id++) {
      ids[data.base().row(id)] = id;
    }
    return row -> {
      int id = ids[row];
      List<IndexableField> fields = new ArrayList<>();
      fields.add(new LongField(PLACE_FIELD, places[id], Field.Store.NO));
      for (int pivot = 0; pivot < far.length; pivot++) {
        if (far[pivot].get(id)) {
          fields.add(new StringField(FAR_FIELD, Integer.toString(pivot), Field.Store.NO));
        }
      }
      return fields;
    };
  }
}
