package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.FloatVectorSimilarityQuery;
import org.apache.lucene.search.HnswQueueSaturationCollector;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.PatienceKnnVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.SeededKnnVectorQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.search.TotalHits;
import org.apache.lucene.search.VectorScorer;
import org.apache.lucene.search.knn.KnnCollectorManager;
import org.apache.lucene.search.knn.KnnSearchStrategy;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.FixedBitSet;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Lucene's collectors and queries ask of a search beside k hits. */
@ExtendWith(SeededRandom.class)
class CollectorTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final int SIZE = 3000;
  private static final int DIMENSION = 32;
  private static final int K = 10;
  private static final int QUERIES = 30;

  /** Accepted documents: all, and so few that only blocks and rows with such are looked at. */
  private static final int[] SHARES = {SIZE, 500};

  /** Something to do with an index. */
  @FunctionalInterface
  private interface Check {
    void run(DirectoryReader reader) throws IOException;
  }

  private static void withSegment(Storage storage, float[][] vectors, Check check)
      throws IOException {
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        check.run(reader);
      }
    }
  }

  private static int[] nearest(float[][] vectors, float[] query, int k) {
    return VectorIndex.nearest(vectors, query, k, SIMILARITY, _ -> true);
  }

  private static void search(LeafReader leaf, float[] query, KnnCollector collector)
      throws IOException {
    search(leaf, query, collector, leaf.maxDoc());
  }

  /** Searches the first {@code accepted} documents. */
  private static void search(LeafReader leaf, float[] query, KnnCollector collector, int accepted)
      throws IOException {
    FixedBitSet docs = null;
    if (accepted < leaf.maxDoc()) {
      docs = new FixedBitSet(leaf.maxDoc());
      docs.set(0, accepted);
    }
    leaf.searchNearestVectors(
        FIELD, query, collector, AcceptDocs.fromLiveDocs(docs, leaf.maxDoc()));
  }

  private static void assertExact(float[][] vectors, float[] query, ScoreDoc[] hits) {
    for (ScoreDoc hit : hits) {
      float expected = SIMILARITY.compare(query, vectors[hit.doc]);
      assertEquals(expected, hit.score, 1e-5 * expected);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void usualPatienceFindsTheNearest(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, SIZE, DIMENSION);
    withSegment(
        storage,
        vectors,
        reader -> {
          for (int k : new int[] {1, K, 100}) {
            double recall = 0;
            for (int q = 0; q < QUERIES; q++) {
              Query query =
                  PatienceKnnVectorQuery.fromFloatQuery(
                      new KnnFloatVectorQuery(FIELD, vectors[q], k));
              ScoreDoc[] hits = new IndexSearcher(reader).search(query, k).scoreDocs;
              assertEquals(k, hits.length);
              int[] found = VectorIndex.ids(reader, hits);
              recall += BruteForce.recall(nearest(vectors, vectors[q], k), found) / QUERIES;
            }
            assertTrue(recall >= 0.95, "recall@" + k + " " + recall);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"CODES", "WALK"})
  void impatienceEndsASearch(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION); // much to rerank
    withSegment(
        storage,
        vectors,
        reader -> {
          LeafReader leaf = reader.leaves().get(0).reader();
          KnnCollector impatient =
              new HnswQueueSaturationCollector(
                  new TopKnnCollector(K, Integer.MAX_VALUE, KnnSearchStrategy.Hnsw.DEFAULT), 0, 1);
          search(leaf, vectors[0], impatient);
          assertTrue(impatient.earlyTerminated());
          ScoreDoc[] hits = impatient.topDocs().scoreDocs;
          assertEquals(K, hits.length);
          assertExact(vectors, vectors[0], hits);
        });
  }

  @ParameterizedTest
  @EnumSource(names = {"WALK"})
  void walksStartFromTheSeeds(Storage storage, Random random) throws IOException {
    // So few visits that a walk finds nothing but where it starts.
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    withSegment(
        storage,
        vectors,
        reader -> {
          LeafReader leaf = reader.leaves().get(0).reader();
          double unseeded = 0;
          for (int q = 0; q < QUERIES; q++) {
            int[] nearest = nearest(vectors, vectors[q], K);
            KnnCollector alone = new TopKnnCollector(K, 1);
            search(leaf, vectors[q], alone);
            int[] found = VectorIndex.ids(reader, alone.topDocs().scoreDocs);
            unseeded += BruteForce.recall(nearest, found) / QUERIES;
            KnnSearchStrategy strategy =
                new KnnSearchStrategy.Seeded(iterator(nearest), K, KnnSearchStrategy.Hnsw.DEFAULT);
            KnnCollector seeded = new TopKnnCollector(K, 1, strategy);
            search(leaf, vectors[q], seeded);
            found = VectorIndex.ids(reader, seeded.topDocs().scoreDocs);
            assertEquals(1, BruteForce.recall(nearest, found));
          }
          assertTrue(unseeded < 0.5, "recall@10 without seeds " + unseeded);
        });
  }

  private static DocIdSetIterator iterator(int[] docs) {
    int[] sorted = docs.clone();
    Arrays.sort(sorted);
    return new DocIdSetIterator() {
      private int position = -1;

      @Override
      public int docID() {
        return position < 0 ? -1 : position < sorted.length ? sorted[position] : NO_MORE_DOCS;
      }

      @Override
      public int nextDoc() {
        position++;
        return docID();
      }

      @Override
      public int advance(int target) throws IOException {
        return slowAdvance(target);
      }

      @Override
      public long cost() {
        return sorted.length;
      }
    };
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void seedsThatAreFarOffDoNoHarm(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, SIZE, DIMENSION, 20, 0.4);
    withSegment(
        storage,
        vectors,
        reader -> {
          double recall = 0;
          for (int q = 0; q < QUERIES; q++) {
            int[] order = nearest(vectors, vectors[q], SIZE);
            int[] farthest = Arrays.copyOfRange(order, SIZE - 100, SIZE);
            Query query =
                SeededKnnVectorQuery.fromFloatQuery(
                    new KnnFloatVectorQuery(FIELD, vectors[q], K),
                    IntField.newSetQuery(ID, farthest));
            ScoreDoc[] hits = new IndexSearcher(reader).search(query, K).scoreDocs;
            int[] found = VectorIndex.ids(reader, hits);
            assertEquals(K, found.length);
            recall += BruteForce.recall(Arrays.copyOf(order, K), found) / QUERIES;
          }
          assertTrue(recall >= 0.95, "recall@10 " + recall);
        });
  }

  /** Says stop when asked for the nth time. */
  private static final class TimedOut extends KnnCollector.Decorator {
    private int left;

    TimedOut(KnnCollector collector, int questions) {
      super(collector);
      this.left = questions;
    }

    @Override
    public boolean earlyTerminated() {
      return --left < 0 || super.earlyTerminated();
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aTimeoutEndsASearchWithWhatItHas(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    long unasked = storage == Storage.CODES ? 1024 : 64; // visits from question to question
    withSegment(
        storage,
        vectors,
        reader -> {
          LeafReader leaf = reader.leaves().get(0).reader();
          for (int accepted : SHARES) {
            for (int questions = 0; questions < 6; questions++) {
              KnnCollector collector =
                  new TimedOut(new TopKnnCollector(K, Integer.MAX_VALUE), questions);
              search(leaf, vectors[0], collector, accepted);
              assertTrue(
                  collector.visitedCount() <= questions * unasked,
                  collector.visitedCount() + " visited after " + questions + " questions");
              ScoreDoc[] hits = collector.topDocs().scoreDocs;
              assertExact(vectors, vectors[0], hits);
              if (collector.visitedCount() >= K) {
                assertEquals(K, hits.length, questions + " questions");
              }
            }
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aSearcherThatTimesOutEndsASearchWithWhatItHas(Storage storage, Random random)
      throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    withSegment(
        storage,
        vectors,
        reader -> {
          Query query = new KnnFloatVectorQuery(FIELD, vectors[0], K);
          Pq32SearchStats start = Pq32SearchStats.of(reader, FIELD);
          query.rewrite(new IndexSearcher(reader));
          Pq32SearchStats complete = Pq32SearchStats.of(reader, FIELD).minus(start);
          IndexSearcher searcher = new IndexSearcher(reader);
          AtomicInteger questions = new AtomicInteger();
          searcher.setTimeout(() -> questions.incrementAndGet() > 3);
          Query hits = query.rewrite(searcher);
          Pq32SearchStats timedOut = Pq32SearchStats.of(reader, FIELD).minus(start).minus(complete);
          assertTrue(timedOut.codesScored() <= complete.codesScored() / 2, timedOut.toString());
          // The first slice to rerank, or three batches of a scan of floats.
          int vectorsLeft = storage == Storage.FLOATS ? 3 * 64 : 20;
          assertTrue(timedOut.vectorsScored() <= vectorsLeft, timedOut.toString());
          searcher.setTimeout(null);
          assertExact(vectors, vectors[0], searcher.search(hits, K).scoreDocs);
        });
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aSearchEndsAtItsVisitLimit(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    for (int doc = 0; doc < SHARES[1]; doc++) {
      vectors[doc][0] += 100; // near each other, so that the few accepted fill whole blocks
    }
    withSegment(
        storage,
        vectors,
        reader -> {
          LeafReader leaf = reader.leaves().get(0).reader();
          for (int accepted : SHARES) {
            for (int limit : new int[] {1, 63, 64, 65, 300}) {
              KnnCollector collector = new TopKnnCollector(K, limit);
              search(leaf, vectors[0], collector, accepted);
              assertTrue(collector.earlyTerminated());
              // Codes and vectors are scored in blocks, which may be begun.
              assertTrue(
                  collector.visitedCount() < limit + 64,
                  collector.visitedCount() + " visited of " + limit);
              assertExact(vectors, vectors[0], collector.topDocs().scoreDocs);
            }
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void thePlanIsOursWhateverTheThresholdForFilteredSearch(Storage storage, Random random)
      throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    withSegment(
        storage,
        vectors,
        reader -> {
          for (int accepted : new int[] {200, 1500, SIZE - 1}) {
            Query filter = IntField.newRangeQuery(ID, 0, accepted - 1);
            Pq32SearchStats first = null;
            for (int threshold : new int[] {0, 60, 100}) {
              Pq32SearchStats before = Pq32SearchStats.of(reader, FIELD);
              Query query =
                  new KnnFloatVectorQuery(
                      FIELD, vectors[0], K, filter, new KnnSearchStrategy.Hnsw(threshold));
              new IndexSearcher(reader).search(query, K);
              Pq32SearchStats cost = Pq32SearchStats.of(reader, FIELD).minus(before);
              first = first == null ? cost : first;
              assertEquals(first, cost, "threshold " + threshold);
            }
          }
        });
  }

  /** Remembers how complete Lucene takes the search of each segment to be. */
  private static final class WatchedRadius extends FloatVectorSimilarityQuery {
    final List<TotalHits.Relation> relations = new ArrayList<>();

    WatchedRadius(float[] target, float threshold, Query filter) {
      super(FIELD, target, threshold, filter);
    }

    @Override
    protected TopDocs approximateSearch(
        LeafReaderContext context, AcceptDocs accepted, int limit, KnnCollectorManager manager)
        throws IOException {
      TopDocs hits = super.approximateSearch(context, accepted, limit, manager);
      relations.add(hits.totalHits.relation());
      return hits;
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aCompleteSearchWithinARadiusIsNotRepeated(Storage storage, Random random)
      throws IOException {
    float[][] vectors = Vectors.anisotropic(random, SIZE, DIMENSION);
    withSegment(
        storage,
        vectors,
        reader -> {
          for (int accepted : new int[] {2, 64, 100, 1000, SIZE}) {
            double recall = 0;
            for (int q = 0; q < QUERIES; q++) {
              int[] order =
                  VectorIndex.nearest(vectors, vectors[q], SIZE, SIMILARITY, id -> id < accepted);
              int wanted = Math.min(20, accepted);
              float threshold =
                  SIMILARITY.compare(vectors[q], vectors[order[wanted - 1]]) * 0.9999f;
              WatchedRadius query =
                  new WatchedRadius(
                      vectors[q], threshold, IntField.newRangeQuery(ID, 0, accepted - 1));
              ScoreDoc[] hits = new IndexSearcher(reader).search(query, SIZE).scoreDocs;
              assertEquals(
                  List.of(TotalHits.Relation.EQUAL_TO), query.relations, accepted + " accepted");
              int[] expected = Arrays.copyOf(order, wanted);
              recall += BruteForce.recall(expected, VectorIndex.ids(reader, hits)) / QUERIES;
            }
            assertTrue(recall >= 0.95, "recall of " + accepted + ": " + recall);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aSegmentThatHoldsAllTheNearestIsSearchedForMore(Storage storage, Random random)
      throws IOException {
    // Of ten segments one is first asked for a part of k hits, and then for all.
    int k = 500;
    float[][] vectors = Vectors.gaussian(random, SIZE, 16);
    for (int id = SIZE - 600; id < SIZE; id++) {
      vectors[id][0] += 20;
    }
    float[] query = new float[16];
    query[0] = 20;
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
        for (int from = 0; from < SIZE; from += 600) {
          VectorIndex.add(writer, vectors, from, from + 600, SIMILARITY);
          writer.flush();
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        ScoreDoc[] hits =
            new IndexSearcher(reader).search(new KnnFloatVectorQuery(FIELD, query, k), k).scoreDocs;
        assertExact(vectors, query, hits);
        double recall =
            BruteForce.recall(nearest(vectors, query, k), VectorIndex.ids(reader, hits));
        assertTrue(recall >= 0.95, "recall@500 " + recall);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void scorersOfStoredVectorsAreExact(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
        for (int doc = 0; doc < SIZE; doc++) {
          writer.addDocument(
              doc % 3 == 0 ? new Document() : VectorIndex.document(doc, vectors[doc], SIMILARITY));
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        FloatVectorValues values = reader.leaves().get(0).reader().getFloatVectorValues(FIELD);
        for (VectorScorer scorer :
            new VectorScorer[] {values.scorer(vectors[0]), values.rescorer(vectors[0])}) {
          DocIdSetIterator docs = scorer.iterator();
          int count = 0;
          for (int doc = docs.nextDoc();
              doc != DocIdSetIterator.NO_MORE_DOCS;
              doc = docs.nextDoc()) {
            float expected = SIMILARITY.compare(vectors[0], vectors[doc]);
            assertEquals(expected, scorer.score(), 1e-5 * expected);
            count++;
          }
          assertEquals(SIZE * 2 / 3, count);
        }
      }
    }
  }
}
