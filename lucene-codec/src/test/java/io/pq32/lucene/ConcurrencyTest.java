package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Searches while the index changes, or goes away. */
@ExtendWith(SeededRandom.class)
class ConcurrencyTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final int SIZE = 1500;
  private static final int DIMENSION = 24;
  private static final int K = 10;
  private static final int THREADS = 3;

  /** One search by one of several threads. */
  @FunctionalInterface
  private interface Search {
    void run(float[] query) throws Exception;
  }

  /** What happens meanwhile. */
  @FunctionalInterface
  private interface Round {
    void run(int round) throws Exception;
  }

  /** Searches from several threads until the rounds are over, at least once in each. */
  private static void searchDuring(int rounds, Round change, float[][] queries, Search search)
      throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger searches = new AtomicInteger();
    try (ExecutorService executor = Executors.newFixedThreadPool(THREADS)) {
      List<Future<?>> threads = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        int first = thread;
        threads.add(
            executor.submit(
                () -> {
                  for (int q = first; !over.get(); q++) {
                    search.run(queries[q % queries.length]);
                    searches.incrementAndGet();
                  }
                  return null;
                }));
      }
      try {
        for (int round = 0; round < rounds; round++) {
          change.run(round);
          int before = searches.get();
          while (searches.get() < before + 2 * THREADS
              && threads.stream().noneMatch(Future::isDone)) {
            Thread.onSpinWait();
          }
        }
      } finally {
        over.set(true);
      }
      for (Future<?> thread : threads) {
        thread.get();
      }
    }
  }

  private static void assertComplete(IndexReader reader, float[][] vectors, float[] query)
      throws IOException {
    ScoreDoc[] hits =
        new IndexSearcher(reader).search(new KnnFloatVectorQuery(FIELD, query, K), K).scoreDocs;
    assertExact(hits, VectorIndex.ids(reader, hits), reader.numDocs(), vectors, query);
  }

  private static void assertExact(
      ScoreDoc[] hits, int[] ids, int documents, float[][] vectors, float[] query) {
    assertEquals(Math.min(K, documents), ids.length);
    for (int i = 0; i < ids.length; i++) {
      float expected = SIMILARITY.compare(query, vectors[ids[i]]);
      assertEquals(expected, hits[i].score, 1e-5 * expected);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void searchesAreCompleteWhileSegmentsMerge(Storage storage, Random random, @TempDir Path folder)
      throws Exception {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    try (Directory directory = new MMapDirectory(folder);
        IndexWriter writer =
            new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()));
        SearcherManager searchers = new SearcherManager(writer, null)) {
      int rounds = 8;
      int share = SIZE / rounds;
      searchDuring(
          rounds,
          round -> {
            VectorIndex.add(writer, vectors, round * share, (round + 1) * share, SIMILARITY);
            writer.deleteDocuments(IntField.newRangeQuery(ID, 0, round * share / 2));
            if (round % 2 == 1) {
              writer.forceMerge(1);
            }
            searchers.maybeRefreshBlocking();
          },
          vectors,
          query -> {
            IndexSearcher searcher = searchers.acquire();
            try {
              assertComplete(searcher.getIndexReader(), vectors, query);
            } finally {
              searchers.release(searcher);
            }
          });
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aReaderClosedBelowASearchSaysSo(Storage storage, Random random, @TempDir Path folder)
      throws Exception {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    try (Directory directory = new MMapDirectory(folder)) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      AtomicReference<DirectoryReader> current =
          new AtomicReference<>(DirectoryReader.open(directory));
      searchDuring(
          60,
          _ -> current.getAndSet(DirectoryReader.open(directory)).close(),
          vectors,
          query -> {
            DirectoryReader reader = current.get();
            try {
              // The format's part alone: Lucene's own reading may fail in other ways.
              LeafReader leaf = reader.leaves().get(0).reader();
              TopKnnCollector collector = new TopKnnCollector(K, Integer.MAX_VALUE);
              AcceptDocs all = AcceptDocs.fromLiveDocs(null, SIZE);
              leaf.searchNearestVectors(FIELD, query, collector, all);
              ScoreDoc[] hits = collector.topDocs().scoreDocs;
              int[] docs = Arrays.stream(hits).mapToInt(hit -> hit.doc).toArray(); // the ids too
              assertExact(hits, docs, SIZE, vectors, query);
            } catch (AlreadyClosedException e) {
              assertEquals(0, reader.getRefCount(), "of an open reader");
            }
          });
      current.get().close();
    }
  }

  /** Where files are not mapped, the first search that needs the codes copies them. */
  @ParameterizedTest
  @EnumSource(names = {"CODES", "WALK"})
  void aSearchWaitsForCodesThatAnotherOneReads(Storage storage, Random random) throws Exception {
    float[][] vectors = Vectors.gaussian(random, SIZE, DIMENSION);
    try (FaultyReads directory = new FaultyReads(new ByteBuffersDirectory())) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      Pq32SearchStats usual;
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertComplete(reader, vectors, vectors[0]);
        usual = Pq32SearchStats.of(reader, FIELD);
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        FutureTask<Void> second = new FutureTask<>(() -> search(reader, vectors));
        Thread waiting = new Thread(second);
        Thread reading = Thread.currentThread();
        directory.before(
            file -> {
              if (file.endsWith(".veq") && Thread.currentThread() == reading) {
                if (waiting.getState() == Thread.State.NEW) {
                  waiting.start();
                }
                while (waiting.isAlive() && waiting.getState() != Thread.State.BLOCKED) {
                  Thread.onSpinWait();
                }
              }
            });
        search(reader, vectors);
        assertNotEquals(Thread.State.NEW, waiting.getState(), "codes were read");
        second.get();
        // Without the codes, hits would be right at another cost.
        assertEquals(usual, Pq32SearchStats.of(reader, FIELD).minus(usual));
      }
    }
  }

  private static Void search(DirectoryReader reader, float[][] vectors) throws IOException {
    assertComplete(reader, vectors, vectors[0]);
    return null;
  }

  /** Hits of a query with the bits of their scores. */
  private static List<Object> hits(IndexSearcher searcher, float[] query, Query filter)
      throws IOException {
    List<Object> hits = new ArrayList<>();
    for (ScoreDoc hit :
        searcher.search(new KnnFloatVectorQuery(FIELD, query, K, filter), K).scoreDocs) {
      hits.add(hit.doc);
      hits.add(hit.score);
    }
    assertEquals(2 * K, hits.size());
    return hits;
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void answersDependNeitherOnThreadsNorOnSlices(
      Storage storage, Random random, @TempDir Path folder) throws Exception {
    float[][] vectors = Vectors.anisotropic(random, 3 * SIZE, DIMENSION);
    int queries = Effort.of(60, 2000);
    Query filter = IntField.newRangeQuery(ID, SIZE / 2, 2 * SIZE);
    try (Directory directory = new MMapDirectory(folder)) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
        int[] ends = {SIZE, SIZE + 200, SIZE + 900, SIZE + 901, 2 * SIZE, 3 * SIZE};
        int from = 0;
        for (int end : ends) {
          VectorIndex.add(writer, vectors, from, end, SIMILARITY);
          writer.flush();
          from = end;
        }
        writer.deleteDocuments(IntField.newRangeQuery(ID, SIZE - 100, SIZE + 50));
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        List<List<Object>> expected = new ArrayList<>();
        for (int q = 0; q < queries; q++) {
          float[] query = vectors[q * 7 % vectors.length];
          expected.add(hits(new IndexSearcher(reader), query, q % 2 == 0 ? filter : null));
        }
        for (int threads = 1; threads <= 8; threads *= 2) {
          int segmentsPerSlice = 1 + random.nextInt(reader.leaves().size());
          try (ExecutorService executor = Executors.newFixedThreadPool(threads);
              ExecutorService clients = Executors.newFixedThreadPool(threads)) {
            IndexSearcher searcher =
                new IndexSearcher(reader, executor) {
                  @Override
                  protected LeafSlice[] slices(List<LeafReaderContext> leaves) {
                    return slices(leaves, 2 * SIZE, segmentsPerSlice, false);
                  }
                };
            List<Future<?>> searches = new ArrayList<>();
            for (int client = 0; client < threads; client++) {
              int first = client; // the same queries at about the same time: they share tables
              searches.add(
                  clients.submit(
                      () -> {
                        for (int i = 0; i < queries; i++) {
                          int q = (first + i) % queries;
                          float[] query = vectors[q * 7 % vectors.length];
                          assertEquals(
                              expected.get(q), hits(searcher, query, q % 2 == 0 ? filter : null));
                        }
                        return null;
                      }));
            }
            for (Future<?> search : searches) {
              search.get();
            }
          }
        }
      }
    }
  }
}
