package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.FilteredDocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.LRUQueryCache;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryCachingPolicy;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.SeededKnnVectorQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.search.Weight;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.apache.lucene.util.IOSupplier;
import org.apache.lucene.util.SparseFixedBitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What a search promises, whatever the index, the filter and k are: as many hits as there can be,
 * all of them live and passing, best first with their exact scores, the same ones each time, and
 * the nearest ones but for one in twenty.
 *
 * <p>{@code -Dtests.cases=10000} runs so many random cases; {@code -Dtests.case=SEED} runs one
 * again that has failed.
 */
@ExtendWith(SeededRandom.class)
class SearchContractTest {
  private static final int CASES = Integer.getInteger("tests.cases", Effort.of(250, 10_000));
  private static final String CASE = System.getProperty("tests.case");
  private static final double LEAST_RECALL = 0.95;
  private static final QueryCachingPolicy CACHE_ALL =
      new QueryCachingPolicy() {
        @Override
        public void onUse(Query query) {}

        @Override
        public boolean shouldCache(Query query) {
          return true;
        }
      };

  /** How vectors lie. */
  private enum Shape {
    GAUSSIAN,
    CLUSTERED,
    COPIES,
    SKEWED_NORMS;

    float[][] vectors(Random random, int count, int dimension) {
      return switch (this) {
        case GAUSSIAN -> Vectors.gaussian(random, count, dimension);
        case CLUSTERED ->
            Vectors.clustered(
                random, count, dimension, 1 + random.nextInt(30), 0.05 + random.nextDouble());
        case COPIES -> {
          float[][] values = Vectors.gaussian(random, 1 + count / 10, dimension);
          float[][] vectors = new float[count][];
          Arrays.setAll(vectors, _ -> values[random.nextInt(values.length)].clone());
          yield vectors;
        }
        case SKEWED_NORMS -> {
          float[][] vectors = Vectors.anisotropic(random, count, dimension);
          for (float[] vector : vectors) {
            Vectors.scaled(new float[][] {vector}, Math.exp(0.7 * random.nextGaussian()));
          }
          yield vectors;
        }
      };
    }
  }

  /** Which documents a filter lets pass. */
  private enum Passing {
    /** No filter. */
    ALL,
    /** Any, from one in ten thousand to all. */
    ANY,
    /** The nearest ones. */
    NEAREST,
    /** The farthest half. */
    FARTHEST,
    /** Those around a place of their own. */
    ELSEWHERE,
    NONE,
    ONE
  }

  /** Who asks. */
  private enum Caller {
    SEARCHER,
    /** With filters from its cache. */
    CACHING_SEARCHER,
    /** From documents to start with, which may be anywhere. */
    SEEDING_SEARCHER,
    /** All segments at a time. */
    CONCURRENT_SEARCHER,
    /** A collector of our own, without a searcher that searches again where hits are missing. */
    COLLECTOR
  }

  /** What a filter is to a collector of our own. */
  private enum Form {
    ITERATOR,
    /** One that knows little of how many documents it has. */
    ITERATOR_OF_UNKNOWN_COST,
    BITS,
    SPARSE_BITS
  }

  /** An index with random contents. */
  private static final class Corpus {
    final VectorSimilarityFunction similarity;
    final float[][] vectors; // by id; null where a document has none
    final float[][] strangers; // vectors of the same shape, to query with
    final int[] ranks; // by id, in random order
    final BitSet live = new BitSet(); // ids
    final String layout;

    Corpus(Random random, Directory directory) throws IOException {
      similarity = pick(random, VectorSimilarityFunction.values());
      Shape shape = pick(random, Shape.values());
      int count = (int) Math.exp(random.nextDouble() * Math.log(6001));
      int dimension = 1 + random.nextInt(random.nextInt(4) == 0 ? 96 : 24);
      float[][] all = shape.vectors(random, count + 10, dimension);
      if (similarity == VectorSimilarityFunction.DOT_PRODUCT) {
        Vectors.normalized(all);
      }
      strangers = Arrays.copyOfRange(all, count, count + 10);
      double density = pick(random, 1.0, 1.0, 0.7, 0.2);
      List<float[]> documents = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        while (random.nextDouble() >= density) {
          documents.add(null);
        }
        documents.add(all[i]);
      }
      vectors = documents.toArray(float[][]::new);
      ranks = new int[vectors.length];
      for (int i = 0; i < ranks.length; i++) {
        int other = random.nextInt(i + 1);
        ranks[i] = ranks[other];
        ranks[other] = i;
      }
      layout = write(random, directory);
      delete(random, directory);
    }

    /** Writes segments; returns how they are stored. */
    private String write(Random random, Directory directory) throws IOException {
      Storage storage = pick(random, Storage.values());
      KnnVectorsFormat format = storage.format();
      boolean mixed = random.nextInt(3) == 0;
      int segments = random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(8);
      int from = 0;
      for (int segment = segments; segment > 0; segment--) {
        int left = vectors.length - from;
        int to = segment == 1 ? vectors.length : from + random.nextInt(1 + left);
        if (mixed) {
          format = pick(random, Storage.values()).format();
        }
        try (IndexWriter writer = new IndexWriter(directory, VectorIndex.writerConfig(format))) {
          for (int id = from; id < to; id++) {
            writer.addDocument(document(id));
          }
        }
        from = to;
      }
      return mixed ? "MIXED" : storage.name();
    }

    private Document document(int id) {
      Document document = new Document();
      document.add(new IntField(ID, id, Field.Store.NO));
      document.add(new IntField("rank", ranks[id], Field.Store.NO));
      if (vectors[id] != null) {
        document.add(new KnnFloatVectorField(FIELD, vectors[id], similarity));
      }
      return document;
    }

    private void delete(Random random, Directory directory) throws IOException {
      live.set(0, vectors.length);
      double share = pick(random, 0.0, 0.0, 0.05, 0.5, 0.97);
      BitSet dead = new BitSet();
      for (int id = 0; id < vectors.length; id++) {
        dead.set(id, random.nextDouble() < share);
      }
      live.andNot(dead);
      if (!dead.isEmpty()) {
        try (IndexWriter writer =
            new IndexWriter(directory, VectorIndex.writerConfig(Storage.FLOATS.format()))) {
          writer.deleteDocuments(IntField.newSetQuery(ID, dead.stream().toArray()));
        }
      }
    }

    float[] query(Random random) {
      if (random.nextBoolean()) {
        return pick(random, strangers);
      }
      int id = random.nextInt(vectors.length);
      while (vectors[id] == null) {
        id = (id + 1) % vectors.length;
      }
      float[] query = vectors[id].clone();
      for (int d = 0; d < query.length; d++) {
        query[d] *= (float) (1 + 0.1 * random.nextGaussian());
      }
      return similarity == VectorSimilarityFunction.DOT_PRODUCT
          ? Vectors.normalized(new float[][] {query})[0]
          : query;
    }

    /** The live documents that have vectors, nearest first. */
    int[] nearest(float[] query) {
      return BruteForce.top(
          vectors.length,
          vectors.length,
          id -> vectors[id] == null ? 0 : similarity.compare(query, vectors[id]),
          id -> vectors[id] != null && live.get(id));
    }

    ExpectedHits expected(float[] query, int[] matches, int k) {
      return new ExpectedHits(similarity, query, id -> vectors[id], matches, k);
    }
  }

  /** Ids that a filter lets pass; null when there is no filter. */
  private static BitSet passing(Random random, Passing passing, Corpus corpus, int[] nearest) {
    int documents = corpus.vectors.length;
    return switch (passing) {
      case ALL -> null;
      case ANY -> {
        double share = Math.pow(1e-4, random.nextDouble());
        BitSet ids = new BitSet();
        for (int id = 0; id < documents; id++) {
          ids.set(id, corpus.ranks[id] < share * documents);
        }
        yield ids;
      }
      case NEAREST -> set(nearest, 0, random.nextInt(nearest.length + 1));
      case ELSEWHERE -> {
        int[] around = corpus.nearest(corpus.query(random));
        yield set(around, 0, random.nextInt(around.length + 1));
      }
      case FARTHEST -> set(nearest, nearest.length / 2, nearest.length);
      case NONE -> new BitSet();
      case ONE -> {
        BitSet ids = new BitSet();
        ids.set(random.nextInt(documents));
        yield ids;
      }
    };
  }

  private static BitSet set(int[] ids, int from, int to) {
    BitSet set = new BitSet();
    for (int i = from; i < to; i++) {
      set.set(ids[i]);
    }
    return set;
  }

  private static Query filter(Passing passing, BitSet ids) {
    return switch (passing) {
      case ALL -> null;
      case ANY -> IntField.newRangeQuery("rank", 0, ids.cardinality() - 1);
      case NEAREST, FARTHEST, ELSEWHERE, NONE, ONE ->
          IntField.newSetQuery(ID, ids.stream().toArray());
    };
  }

  private static ScoreDoc[] search(
      Caller caller,
      Form form,
      DirectoryReader reader,
      float[] query,
      int k,
      Query filter,
      ExecutorService executor)
      throws IOException {
    KnnFloatVectorQuery knn = new KnnFloatVectorQuery(FIELD, query, k, filter);
    IndexSearcher searcher = new IndexSearcher(reader);
    return switch (caller) {
      case SEARCHER -> searcher.search(knn, k).scoreDocs;
      case CACHING_SEARCHER -> {
        searcher.setQueryCache(new LRUQueryCache(10, 1 << 24, _ -> true, Float.MAX_VALUE));
        searcher.setQueryCachingPolicy(CACHE_ALL);
        searcher.search(knn, k);
        yield searcher.search(knn, k).scoreDocs;
      }
      case SEEDING_SEARCHER -> {
        Query seeds = IntField.newRangeQuery("rank", 0, 20);
        yield searcher.search(SeededKnnVectorQuery.fromFloatQuery(knn, seeds), k).scoreDocs;
      }
      case CONCURRENT_SEARCHER -> new IndexSearcher(reader, executor).search(knn, k).scoreDocs;
      case COLLECTOR -> {
        List<TopDocs> hits = new ArrayList<>();
        for (LeafReaderContext leaf : reader.leaves()) {
          TopKnnCollector collector = new TopKnnCollector(k, Integer.MAX_VALUE);
          AcceptDocs accepted = acceptDocs(searcher, leaf, filter, form);
          leaf.reader().searchNearestVectors(FIELD, query, collector, accepted);
          TopDocs found = collector.topDocs();
          for (ScoreDoc hit : found.scoreDocs) {
            hit.doc += leaf.docBase;
          }
          hits.add(found);
        }
        yield TopDocs.merge(k, hits.toArray(TopDocs[]::new)).scoreDocs;
      }
    };
  }

  private static AcceptDocs acceptDocs(
      IndexSearcher searcher, LeafReaderContext leaf, Query filter, Form form) throws IOException {
    Bits live = leaf.reader().getLiveDocs();
    int maxDoc = leaf.reader().maxDoc();
    if (filter == null) {
      return AcceptDocs.fromLiveDocs(live, maxDoc);
    }
    Weight weight =
        searcher.createWeight(searcher.rewrite(filter), ScoreMode.COMPLETE_NO_SCORES, 1);
    IOSupplier<DocIdSetIterator> matches =
        () -> {
          Scorer scorer = weight.scorer(leaf);
          return scorer == null ? DocIdSetIterator.empty() : scorer.iterator();
        };
    return switch (form) {
      case ITERATOR -> AcceptDocs.fromIteratorSupplier(matches, live, maxDoc);
      case ITERATOR_OF_UNKNOWN_COST ->
          AcceptDocs.fromIteratorSupplier(() -> ofUnknownCost(matches.get()), live, maxDoc);
      case BITS, SPARSE_BITS -> {
        org.apache.lucene.util.BitSet docs =
            form == Form.BITS ? new FixedBitSet(maxDoc) : new SparseFixedBitSet(maxDoc);
        DocIdSetIterator iterator = matches.get();
        for (int doc = iterator.nextDoc();
            doc != DocIdSetIterator.NO_MORE_DOCS;
            doc = iterator.nextDoc()) {
          if (live == null || live.get(doc)) {
            docs.set(doc);
          }
        }
        yield AcceptDocs.fromLiveDocs(docs, maxDoc);
      }
    };
  }

  private static DocIdSetIterator ofUnknownCost(DocIdSetIterator docs) {
    return new FilteredDocIdSetIterator(docs) {
      @Override
      protected boolean match(int doc) {
        return true;
      }

      @Override
      public long cost() {
        return 1;
      }
    };
  }

  private static int k(Random random, int vectors) {
    return switch (random.nextInt(4)) {
      case 0 -> 1;
      case 1 -> 10;
      case 2 -> 1 + random.nextInt(100);
      default -> 1 + random.nextInt(2 * vectors);
    };
  }

  @SafeVarargs
  private static <T> T pick(Random random, T... values) {
    return values[random.nextInt(values.length)];
  }

  /**
   * Recall of one case.
   *
   * @param seed that runs it again
   */
  private record CaseRecall(long seed, double recall) {
    @Override
    public String toString() {
      return "-Dtests.case=" + Long.toHexString(seed) + ": " + recall;
    }
  }

  /** Recall of the cases that have something in common. */
  private static final class Recalls {
    private final Map<String, List<CaseRecall>> recalls = new TreeMap<>();

    void add(String what, CaseRecall recall) {
      recalls.computeIfAbsent(what, _ -> new ArrayList<>()).add(recall);
    }

    void check() {
      assertAll(recalls.entrySet().stream().map(entry -> () -> check(entry)));
    }

    private static void check(Map.Entry<String, List<CaseRecall>> entry) {
      List<CaseRecall> cases = entry.getValue();
      double mean = cases.stream().mapToDouble(CaseRecall::recall).average().orElseThrow();
      cases.sort(Comparator.comparingDouble(CaseRecall::recall));
      List<CaseRecall> weakest = cases.subList(0, Math.min(5, cases.size()));
      Figures.print("%s: %d with hits, recall %s, %s", entry.getKey(), cases.size(), mean, weakest);
      assertTrue(
          mean >= LEAST_RECALL, entry.getKey() + ": recall " + mean + ", at the least " + weakest);
    }
  }

  /** Checks one case; adds its recall. */
  private static void check(long seed, ExecutorService executor, Recalls recalls)
      throws IOException {
    Random random = new Random(seed);
    try (Directory directory = new ByteBuffersDirectory()) {
      Corpus corpus = new Corpus(random, directory);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        float[] query = corpus.query(random);
        int[] nearest = corpus.nearest(query);
        Passing passing = pick(random, Passing.values());
        BitSet ids = passing(random, passing, corpus, nearest);
        int[] matches = Arrays.stream(nearest).filter(id -> ids == null || ids.get(id)).toArray();
        int k = k(random, corpus.vectors.length);
        Caller caller = pick(random, Caller.values());
        Form form = pick(random, Form.values());
        Query filter = filter(passing, ids);
        ScoreDoc[] hits = search(caller, form, reader, query, k, filter, executor);
        int[] found = VectorIndex.ids(reader, hits);

        ExpectedHits expected = corpus.expected(query, matches, k);
        expected.check(found, hits);
        int[] again =
            VectorIndex.ids(reader, search(caller, form, reader, query, k, filter, executor));
        assertEquals(Arrays.toString(found), Arrays.toString(again), "the same again");
        if (found.length > 0) {
          CaseRecall recall = new CaseRecall(seed, expected.recall(found));
          for (Object what : new Object[] {"ALL CASES", passing, corpus.layout, caller}) {
            recalls.add(what.toString(), recall);
          }
        }
      }
    }
  }

  @Test
  void everySearchKeepsItsPromise(Random random) {
    Recalls recalls = new Recalls();
    List<AssertionError> failures = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < (CASE == null ? CASES : 1); i++) {
        long seed = CASE == null ? random.nextLong() : Long.parseUnsignedLong(CASE, 16);
        try {
          check(seed, executor, recalls);
        } catch (IOException | RuntimeException | AssertionError e) {
          failures.add(new AssertionError("-Dtests.case=" + Long.toHexString(seed) + ": " + e, e));
        }
      }
    }
    assertAll(
        failures.stream()
            .map(
                failure ->
                    () -> {
                      throw failure;
                    }));
    if (CASE == null) {
      recalls.check();
    }
  }
}
