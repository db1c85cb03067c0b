package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(SeededRandom.class)
class FilterTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final int SIZE = 4000;
  private static final int K = 10;

  /** Documents with a cluster number, and a rank in random order, to filter by. */
  private static final class Corpus {
    final float[][] vectors;
    final int[] clusters;
    final int[] ranks;

    Corpus(Random random) {
      float[][] centers = Vectors.gaussian(random, 20, 40);
      vectors = Vectors.anisotropic(random, SIZE, 40);
      clusters = new int[SIZE];
      ranks = IntStream.range(0, SIZE).toArray();
      for (int i = 0; i < SIZE; i++) {
        clusters[i] = random.nextInt(20);
        for (int d = 0; d < 40; d++) {
          vectors[i][d] += centers[clusters[i]][d];
        }
        int other = random.nextInt(i + 1);
        int rank = ranks[i];
        ranks[i] = ranks[other];
        ranks[other] = rank;
      }
    }

    void write(Directory directory, Storage storage) throws IOException {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
        for (int id = 0; id < SIZE; id++) {
          Document document = VectorIndex.document(id, vectors[id], SIMILARITY);
          document.add(new IntField("rank", ranks[id], Field.Store.NO));
          document.add(new StringField("cluster", "c" + clusters[id], Field.Store.NO));
          writer.addDocument(document);
        }
      }
    }

    float[] query(Random random) {
      float[] query = vectors[random.nextInt(SIZE)].clone();
      for (int d = 0; d < query.length; d++) {
        query[d] += (float) (0.1 * random.nextGaussian());
      }
      return query;
    }

    int[] nearest(float[] query, IntPredicate accepted) {
      return VectorIndex.nearest(vectors, query, K, SIMILARITY, accepted);
    }
  }

  private static int[] search(DirectoryReader reader, float[] query, Query filter)
      throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    ScoreDoc[] hits =
        searcher.search(new KnnFloatVectorQuery(FIELD, query, K, filter), K).scoreDocs;
    return VectorIndex.ids(reader, hits);
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsTheNearestOfAnyShare(Storage storage, Random random) throws IOException {
    Corpus corpus = new Corpus(random);
    try (Directory directory = new ByteBuffersDirectory()) {
      corpus.write(directory, storage);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        int[] matches = {0, 1, 9, 10, 11, 40, 200, 400, 1000, 2000, SIZE - 1, SIZE};
        for (int count : matches) {
          double recall = 0;
          for (int q = 0; q < 10; q++) {
            float[] query = corpus.query(random);
            int[] found = search(reader, query, IntField.newRangeQuery("rank", 0, count - 1));
            assertEquals(Math.min(K, count), found.length);
            assertTrue(Arrays.stream(found).allMatch(id -> corpus.ranks[id] < count));
            recall +=
                BruteForce.recall(corpus.nearest(query, id -> corpus.ranks[id] < count), found)
                    / 10;
          }
          assertTrue(recall >= 0.95, "recall@10 " + recall + " of " + count + " matches");
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsTheNearestOfACorrelatedFilter(Storage storage, Random random) throws IOException {
    Corpus corpus = new Corpus(random);
    try (Directory directory = new ByteBuffersDirectory()) {
      corpus.write(directory, storage);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        double recall = 0;
        int searches = 0;
        for (int cluster = 0; cluster < 20; cluster++) {
          int accepted = cluster;
          // The query lies in any cluster: most often far from the one it may find.
          float[] query = corpus.query(random);
          int[] found = search(reader, query, new TermQuery(new Term("cluster", "c" + cluster)));
          int[] nearest = corpus.nearest(query, id -> corpus.clusters[id] == accepted);
          assertEquals(K, found.length);
          assertTrue(Arrays.stream(found).allMatch(id -> corpus.clusters[id] == accepted));
          recall += BruteForce.recall(nearest, found);
          searches++;
        }
        assertTrue(recall / searches >= 0.95, "recall@10 " + recall / searches);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsTheNearestOfTheFartherHalf(Storage storage, Random random) throws IOException {
    // Copies, so that a walk which expands too little misses many at a time.
    float[][] values = Vectors.gaussian(random, 240, 6);
    float[][] vectors = new float[2400][];
    Arrays.setAll(vectors, id -> values[id % values.length]);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        double recall = 0;
        for (int q = 0; q < 20; q++) {
          float[] query = Vectors.gaussian(random, 1, 6)[0];
          int[] order = VectorIndex.nearest(vectors, query, vectors.length, SIMILARITY, _ -> true);
          int[] farther = Arrays.copyOfRange(order, order.length / 2, order.length);
          Query filter = IntField.newSetQuery(ID, farther);
          ScoreDoc[] hits =
              new IndexSearcher(reader)
                  .search(new KnnFloatVectorQuery(FIELD, query, 50, filter), 50)
                  .scoreDocs;
          assertEquals(50, hits.length);
          float least = SIMILARITY.compare(query, vectors[farther[49]]) * 0.99999f;
          recall += Arrays.stream(hits).filter(hit -> hit.score >= least).count() / 50.0 / 20;
        }
        assertTrue(recall >= 0.95, "recall@50 " + recall);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aFilterThatMatchesAllIsNoFilter(Storage storage, Random random) throws IOException {
    Corpus corpus = new Corpus(random);
    try (Directory directory = new ByteBuffersDirectory()) {
      corpus.write(directory, storage);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        for (int q = 0; q < 5; q++) {
          float[] query = corpus.query(random);
          int[] expected = search(reader, query, null);
          assertArrayEquals(expected, search(reader, query, MatchAllDocsQuery.INSTANCE));
          assertArrayEquals(
              expected, search(reader, query, IntField.newRangeQuery("rank", 0, SIZE)));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void deletedDocumentsAreNeverFound(Storage storage, Random random) throws IOException {
    Corpus corpus = new Corpus(random);
    try (Directory directory = new ByteBuffersDirectory()) {
      corpus.write(directory, storage);
      BitSet deleted = new BitSet();
      for (int share : new int[] {1, 50, 90, 99}) {
        try (IndexWriter writer =
            new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
          for (int id = 0; id < SIZE; id++) {
            if (!deleted.get(id) && random.nextInt(100) < share) {
              deleted.set(id);
              writer.deleteDocuments(IntField.newExactQuery(ID, id));
            }
          }
        }
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          assertEquals(SIZE - deleted.cardinality(), reader.numDocs());
          int count = 2500;
          double recall = 0;
          for (int q = 0; q < 10; q++) {
            float[] query = corpus.query(random);
            int[] found = search(reader, query, null);
            int[] nearest = corpus.nearest(query, id -> !deleted.get(id));
            assertEquals(nearest.length, found.length);
            assertTrue(Arrays.stream(found).noneMatch(deleted::get));
            recall += BruteForce.recall(nearest, found) / 20;

            IntPredicate accepted = id -> !deleted.get(id) && corpus.ranks[id] < count;
            found = search(reader, query, IntField.newRangeQuery("rank", 0, count - 1));
            nearest = corpus.nearest(query, accepted);
            assertEquals(nearest.length, found.length);
            assertTrue(Arrays.stream(found).allMatch(accepted));
            recall += BruteForce.recall(nearest, found) / 20;
          }
          assertTrue(recall >= 0.95, "recall@10 " + recall + " of " + reader.numDocs());
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void nothingIsFoundWhereAllIsDeleted(Storage storage, Random random) throws IOException {
    Corpus corpus = new Corpus(random);
    try (Directory directory = new ByteBuffersDirectory()) {
      corpus.write(directory, storage);
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
        // By query, and with one document more: a segment without live documents is dropped.
        writer.deleteDocuments(IntField.newRangeQuery("rank", 1, SIZE));
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(1, reader.numDocs());
        int[] found = search(reader, corpus.query(random), null);
        assertEquals(1, found.length);
        assertEquals(0, corpus.ranks[found[0]]);
        int[] none = search(reader, corpus.query(random), IntField.newRangeQuery("rank", 5, 900));
        assertEquals(0, none.length);
      }
    }
  }
}
