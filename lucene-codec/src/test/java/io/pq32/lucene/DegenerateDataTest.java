package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AbstractKnnCollector;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TotalHits;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever vectors an index takes, a search over them gives what it owes. */
@ExtendWith(SeededRandom.class)
class DegenerateDataTest {
  private static final int SIZE = Effort.of(256, 3000);
  private static final int OWN_QUERIES = Effort.of(5, 24); // vectors of the index

  /** What is wrong with some vectors. */
  private enum Defect {
    ALL_EQUAL,
    ALL_ZERO,
    ZEROS_AMONG_OTHERS,
    TWO_VALUES,
    CONSTANT_DIMENSIONS,
    ON_A_LINE,
    NORMS_OF_1E_30,
    NORMS_OF_1E30,
    NORMS_FROM_1E_30_TO_1E30,
    DENORMALS,
    LARGEST_FLOATS,
    ONE_OF_THE_LARGEST_FLOATS;

    float[][] vectors(Random random, int count, int dimension) {
      float[][] vectors = Vectors.anisotropic(random, count, dimension);
      float[] one = vectors[0].clone();
      float[] other = vectors[1].clone();
      for (int i = 0; i < count; i++) {
        float[] vector = vectors[i];
        switch (this) {
          case ALL_EQUAL -> vectors[i] = one.clone();
          case ALL_ZERO -> vectors[i] = new float[dimension];
          case ZEROS_AMONG_OTHERS -> vectors[i] = i % 10 == 3 ? new float[dimension] : vector;
          case TWO_VALUES -> vectors[i] = random.nextBoolean() ? one.clone() : other.clone();
          case CONSTANT_DIMENSIONS -> Arrays.fill(vector, 0, dimension / 2, 3.5f);
          case ON_A_LINE -> vectors[i] = scaled(one, 1 + i);
          case NORMS_OF_1E_30 -> vectors[i] = scaled(vector, 1e-30);
          case NORMS_OF_1E30 -> vectors[i] = scaled(vector, 1e30);
          case NORMS_FROM_1E_30_TO_1E30 -> vectors[i] = scaled(vector, Math.pow(10, i % 61 - 30));
          case DENORMALS -> vectors[i] = scaled(vector, 1e-41);
          case LARGEST_FLOATS -> vectors[i] = largest(vector);
          case ONE_OF_THE_LARGEST_FLOATS -> vectors[i] = i == 17 ? largest(vector) : vector;
        }
      }
      return vectors;
    }

    /** Lucene's fields take no zero vectors for a cosine. */
    boolean possible(VectorSimilarityFunction similarity) {
      return similarity != VectorSimilarityFunction.COSINE
          || this != ALL_ZERO && this != ZEROS_AMONG_OTHERS;
    }

    /**
     * Where products overflow, a vector may be the only one that has a similarity to itself, and
     * codes know little of who scores what. Of the norms from 1e-30 to 1e30, half are beyond the 32
     * times the median that training takes part in: in any one direction codes cannot tell 1e2 from
     * 1e30, and by inner product only the longest are near. 3,000 of those are found to .75.
     */
    double leastRecall() {
      return switch (this) {
        case NORMS_FROM_1E_30_TO_1E30 -> 0.7;
        case NORMS_OF_1E30, LARGEST_FLOATS, ONE_OF_THE_LARGEST_FLOATS -> 0.8;
        default -> 0.95;
      };
    }

    /** Whether products overflow between the vectors, not only with a query that is too large. */
    boolean overflows() {
      return leastRecall() < 0.95;
    }

    private static float[] scaled(float[] vector, double factor) {
      return Vectors.scaled(new float[][] {vector.clone()}, factor)[0];
    }

    private static float[] largest(float[] vector) {
      float[] largest = new float[vector.length];
      for (int d = 0; d < largest.length; d++) {
        largest[d] = Math.copySign(Float.MAX_VALUE, vector[d]);
      }
      return largest;
    }
  }

  static Stream<Arguments> defects() {
    return Arrays.stream(Defect.values())
        .flatMap(
            defect ->
                Arrays.stream(VectorSimilarityFunction.values())
                    .filter(similarity -> defect.possible(similarity))
                    .map(similarity -> Arguments.of(defect, similarity)));
  }

  @ParameterizedTest
  @MethodSource("defects")
  void giveWhatASearchOwes(Defect defect, VectorSimilarityFunction similarity, Random random)
      throws IOException {
    float[][] vectors = defect.vectors(random, SIZE, 40);
    for (Storage storage : Storage.values()) {
      try (Directory directory = new ByteBuffersDirectory()) {
        try (IndexWriter writer =
            new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
          VectorIndex.add(writer, vectors, 0, SIZE / 2, similarity);
          writer.flush();
          VectorIndex.add(writer, vectors, SIZE / 2, SIZE, similarity);
          try (DirectoryReader reader = DirectoryReader.open(writer)) {
            double recall = check(reader, vectors, 0, defect, similarity);
            assertTrue(recall >= defect.leastRecall(), storage + " in segments: recall " + recall);
          }
          writer.deleteDocuments(IntField.newRangeQuery(ID, 0, SIZE / 8 - 1));
          writer.forceMerge(1);
          try (DirectoryReader reader = DirectoryReader.open(writer)) {
            double recall = check(reader, vectors, SIZE / 8, defect, similarity);
            assertTrue(recall >= defect.leastRecall(), storage + " merged: recall " + recall);
          }
        }
        VectorIndex.check(directory);
      }
    }
  }

  /**
   * Checks all hits; returns the mean recall. A query so large that its products with ordinary
   * vectors overflow does not count: to Lucene, its nearest are those of infinity, and those that
   * come next to them are not numbers.
   */
  private static double check(
      DirectoryReader reader,
      float[][] vectors,
      int firstLive,
      Defect defect,
      VectorSimilarityFunction similarity)
      throws IOException {
    IndexSearcher searcher = new IndexSearcher(reader);
    double recall = 0;
    int searches = 0;
    for (float[] query : queries(vectors)) {
      int[] matches =
          BruteForce.top(
              vectors.length,
              vectors.length,
              id -> ExpectedHits.score(similarity, query, vectors[id]),
              id -> id >= firstLive);
      float best = ExpectedHits.score(similarity, query, vectors[matches[0]]);
      boolean counts = defect.overflows() || Float.isFinite(best);
      for (int k : new int[] {1, 10, 10_000}) {
        KnnFloatVectorQuery knn = new KnnFloatVectorQuery(FIELD, query, k);
        ScoreDoc[] hits = searcher.search(knn, k).scoreDocs;
        int[] found = VectorIndex.ids(reader, hits);
        var expected = new ExpectedHits(similarity, query, id -> vectors[id], matches, k);
        expected.check(found, hits);
        if (k == 10) {
          int[] again = VectorIndex.ids(reader, searcher.search(knn, k).scoreDocs);
          assertArrayEquals(found, again, "the same again");
        }
        if (counts) {
          recall += expected.recall(found);
          searches++;
        }
      }
    }
    return recall / searches;
  }

  private static List<float[]> queries(float[][] vectors) {
    List<float[]> queries = new ArrayList<>();
    for (int id = 17; id < vectors.length; id += vectors.length / OWN_QUERIES) {
      queries.add(vectors[id]);
    }
    float[] constant = new float[vectors[0].length];
    for (float value : new float[] {0, 1e-30f, 1, 1e30f, -Float.MAX_VALUE}) {
      Arrays.fill(constant, value);
      queries.add(constant.clone());
    }
    return queries;
  }

  static Stream<Arguments> dimensionsAndSimilarities() {
    return Stream.of(1, 2, 31, 33, 100, 4096)
        .flatMap(
            dimension ->
                Arrays.stream(VectorSimilarityFunction.values())
                    .map(similarity -> Arguments.of(dimension, similarity)));
  }

  @ParameterizedTest
  @MethodSource("dimensionsAndSimilarities")
  void anyDimensionGivesWhatASearchOwes(
      int dimension, VectorSimilarityFunction similarity, Random random) throws IOException {
    int size = Math.min(SIZE, 500_000 / dimension);
    float[][] vectors = VectorIndex.vectors(random, size, dimension, similarity);
    for (Storage storage : storages(dimension, similarity)) {
      try (Directory directory = new ByteBuffersDirectory()) {
        VectorIndex.write(directory, storage.format(), vectors, similarity);
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          double recall = 0;
          int queries = 0;
          for (int id = 0; id < size; id += 1 + size / 20) {
            float[] query = vectors[id];
            int[] matches =
                VectorIndex.nearest(vectors, query, vectors.length, similarity, _ -> true);
            ScoreDoc[] hits =
                new IndexSearcher(reader)
                    .search(new KnnFloatVectorQuery(FIELD, query, 10), 10)
                    .scoreDocs;
            int[] found = VectorIndex.ids(reader, hits);
            var expected = new ExpectedHits(similarity, query, i -> vectors[i], matches, 10);
            expected.check(found, hits);
            recall += expected.recall(found);
            queries++;
          }
          assertTrue(recall / queries >= 0.98, storage + ": recall " + recall / queries);
        }
      }
    }
  }

  /** Training in thousands of dimensions takes a second: in the short form not for both. */
  private static List<Storage> storages(int dimension, VectorSimilarityFunction similarity) {
    if (dimension < 1000 || Effort.of(0, 1) == 1) {
      return List.of(Storage.CODES, Storage.WALK);
    }
    return switch (similarity) {
      case EUCLIDEAN, COSINE -> List.of(Storage.CODES);
      case DOT_PRODUCT, MAXIMUM_INNER_PRODUCT -> List.of(Storage.WALK);
    };
  }

  /** Collects all that it is given. */
  private static final class Everything extends AbstractKnnCollector {
    final List<ScoreDoc> hits = new ArrayList<>();

    Everything(int k) {
      super(k, Integer.MAX_VALUE);
    }

    @Override
    public boolean collect(int doc, float similarity) {
      return hits.add(new ScoreDoc(doc, similarity));
    }

    @Override
    public int numCollected() {
      return hits.size();
    }

    @Override
    public float minCompetitiveSimilarity() {
      return Float.NEGATIVE_INFINITY;
    }

    @Override
    public TopDocs topDocs() {
      return new TopDocs(
          new TotalHits(hits.size(), TotalHits.Relation.EQUAL_TO), hits.toArray(ScoreDoc[]::new));
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void theLargestKThereIsGivesAll(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 1000, 16);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, VectorSimilarityFunction.EUCLIDEAN);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        LeafReader leaf = reader.leaves().get(0).reader();
        Everything all = new Everything(Integer.MAX_VALUE);
        leaf.searchNearestVectors(
            FIELD, vectors[0], all, AcceptDocs.fromLiveDocs(null, leaf.maxDoc()));
        assertEquals(1000, all.hits.stream().mapToInt(hit -> hit.doc).distinct().count());
        assertEquals(1000, all.hits.size());
      }
    }
  }

  @Test
  void thousandsOfSegmentsOfOneDocumentTakeNoCodebooks(Random random) throws IOException {
    VectorSimilarityFunction similarity = VectorSimilarityFunction.EUCLIDEAN;
    int first = 2500; // enough for a codebook, which the others could reuse
    int size = first + Effort.of(400, 4000);
    float[][] vectors = Vectors.anisotropic(random, size, 32);
    try (Directory directory = new ByteBuffersDirectory()) {
      IndexWriterConfig config = VectorIndex.writerConfig(new Pq32HnswVectorsFormat());
      try (IndexWriter writer = new IndexWriter(directory, config)) {
        VectorIndex.add(writer, vectors, 0, first, similarity);
        writer.flush();
        for (int id = first; id < size; id++) {
          VectorIndex.add(writer, vectors, id, id + 1, similarity);
          writer.flush();
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(1 + size - first, reader.leaves().size());
        for (LeafReaderContext leaf : reader.leaves()) {
          QuantizedField codes = VectorIndex.reader(leaf.reader(), FIELD).quantizedOrNull(FIELD);
          assertEquals(leaf.reader().maxDoc() > 1, codes != null);
        }
        for (String file : directory.listAll()) {
          if (file.matches(".*\\.(veq|vemq|vex|vem)") && !file.startsWith("_0_")) {
            assertTrue(directory.fileLength(file) < 200, file + ": " + directory.fileLength(file));
          }
        }
        IndexSearcher searcher = new IndexSearcher(reader);
        for (int id = 0; id < size; id += 150) {
          float[] query = vectors[id];
          int[] matches = VectorIndex.nearest(vectors, query, size, similarity, _ -> true);
          ScoreDoc[] hits =
              searcher.search(new KnnFloatVectorQuery(FIELD, query, 10), 10).scoreDocs;
          int[] found = VectorIndex.ids(reader, hits);
          var expected = new ExpectedHits(similarity, query, i -> vectors[i], matches, 10);
          expected.check(found, hits);
          assertEquals(1, expected.recall(found));
        }
      }
    }
  }
}
