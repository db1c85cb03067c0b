package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.FloatVectorSimilarityQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All vectors above a similarity, however many there are. */
@ExtendWith(SeededRandom.class)
class RadiusTest {
  private static final int SIZE = 3000;

  private static int[] search(DirectoryReader reader, float[] query, float threshold, Query filter)
      throws IOException {
    ScoreDoc[] hits =
        new IndexSearcher(reader)
            .search(new FloatVectorSimilarityQuery(FIELD, query, threshold, filter), SIZE)
            .scoreDocs;
    assertTrue(Arrays.stream(hits).allMatch(hit -> hit.score >= threshold));
    return VectorIndex.ids(reader, hits);
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsAllAboveAThreshold(Storage storage, Random random) throws IOException {
    for (VectorSimilarityFunction similarity :
        new VectorSimilarityFunction[] {
          VectorSimilarityFunction.EUCLIDEAN, VectorSimilarityFunction.COSINE
        }) {
      float[][] vectors = Vectors.anisotropic(random, SIZE, 32);
      try (Directory directory = new ByteBuffersDirectory()) {
        VectorIndex.write(directory, storage.format(), vectors, similarity);
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          for (int wanted : new int[] {1, 5, 100, 700}) {
            double recall = 0;
            for (int q = 0; q < 8; q++) {
              recall += recall(reader, vectors, similarity, vectors[q], wanted) / 8;
            }
            assertTrue(recall >= 0.95, similarity + ": recall of " + wanted + ": " + recall);
          }
        }
      }
    }
  }

  /** Recall with a threshold halfway between two similarities, without and with a filter. */
  private static double recall(
      DirectoryReader reader,
      float[][] vectors,
      VectorSimilarityFunction similarity,
      float[] query,
      int wanted)
      throws IOException {
    int[] order = VectorIndex.nearest(vectors, query, wanted + 1, similarity, _ -> true);
    float threshold =
        (similarity.compare(query, vectors[order[wanted - 1]])
                + similarity.compare(query, vectors[order[wanted]]))
            / 2;
    int[] expected = Arrays.copyOf(order, wanted);
    double recall = BruteForce.recall(expected, search(reader, query, threshold, null));
    IntPredicate accepted = id -> id < 1000;
    int[] found = search(reader, query, threshold, IntField.newRangeQuery(ID, 0, 999));
    assertTrue(Arrays.stream(found).allMatch(accepted));
    int[] expectedOfFilter = Arrays.stream(expected).filter(accepted).toArray();
    return (recall + BruteForce.recall(expectedOfFilter, found)) / 2;
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsNoneWhereNoneIsNearEnough(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, 32);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, VectorSimilarityFunction.EUCLIDEAN);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(0, search(reader, new float[32], 0.9f, null).length);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsAllWhereAllAreNearEnough(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, 32);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, VectorSimilarityFunction.EUCLIDEAN);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        int[] found = search(reader, vectors[0], 1e-6f, null);
        Arrays.sort(found);
        assertEquals(Arrays.toString(IntStream.range(0, SIZE).toArray()), Arrays.toString(found));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void theThresholdItselfIsNearEnough(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, SIZE, 32);
    Arrays.fill(vectors, 100, 400, vectors[0]);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, VectorSimilarityFunction.EUCLIDEAN);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(301, search(reader, vectors[0], 1, null).length);
      }
    }
  }
}
