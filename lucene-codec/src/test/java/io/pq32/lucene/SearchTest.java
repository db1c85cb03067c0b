package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.store.NIOFSDirectory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(SeededRandom.class)
class SearchTest {
  private static final int DIMENSION = 48;
  private static final int QUERIES = 50;

  static Stream<Arguments> similaritiesAndStorages() {
    return Arrays.stream(VectorSimilarityFunction.values())
        .flatMap(s -> Arrays.stream(Storage.values()).map(storage -> Arguments.of(s, storage)));
  }

  @ParameterizedTest
  @MethodSource("similaritiesAndStorages")
  void findsTheNearestWithTheirExactScores(
      VectorSimilarityFunction similarity, Storage storage, Random random) throws IOException {
    float[][] all = VectorIndex.vectors(random, 3000 + QUERIES, DIMENSION, similarity);
    float[][] vectors = Arrays.copyOf(all, 3000);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, similarity);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        double recall = 0;
        for (int q = 0; q < QUERIES; q++) {
          recall += recall(reader, vectors, all[3000 + q], similarity) / QUERIES;
        }
        // Who is near to whom by inner product is no geometry to walk in: .97 to .99 are usual.
        boolean hard =
            storage == Storage.WALK && similarity == VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT;
        assertTrue(recall >= (hard ? 0.95 : 0.98), "recall@10 " + recall);
      }
    }
  }

  /** Checks the scores of ten hits; returns the recall. */
  private static double recall(
      DirectoryReader reader, float[][] vectors, float[] query, VectorSimilarityFunction similarity)
      throws IOException {
    ScoreDoc[] hits =
        new IndexSearcher(reader).search(new KnnFloatVectorQuery(FIELD, query, 10), 10).scoreDocs;
    assertEquals(10, hits.length);
    int[] ids = VectorIndex.ids(reader, hits);
    for (int i = 0; i < hits.length; i++) {
      float expected = similarity.compare(query, vectors[ids[i]]);
      assertEquals(expected, hits[i].score, 1e-5 * Math.abs(expected));
      assertTrue(i == 0 || hits[i].score <= hits[i - 1].score, "best first");
    }
    int[] nearest = VectorIndex.nearest(vectors, query, 10, similarity, _ -> true);
    return BruteForce.recall(nearest, ids);
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void everyKindOfDirectoryGivesTheSameHits(Storage storage, Random random, @TempDir Path folder)
      throws IOException {
    VectorSimilarityFunction similarity = VectorSimilarityFunction.EUCLIDEAN;
    float[][] vectors = Vectors.clustered(random, 2500, DIMENSION, 40, 0.4);
    ScoreDoc[][] expected = null;
    try (Directory heap = new ByteBuffersDirectory();
        Directory mapped = new MMapDirectory(folder.resolve("mapped"));
        Directory chunked = new MMapDirectory(folder.resolve("chunked"), 1 << 15);
        Directory channels = new NIOFSDirectory(folder.resolve("channels"))) {
      for (Directory directory : new Directory[] {heap, mapped, chunked, channels}) {
        VectorIndex.write(directory, storage.format(), vectors, similarity);
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          IndexSearcher searcher = new IndexSearcher(reader);
          ScoreDoc[][] hits = new ScoreDoc[QUERIES][];
          for (int q = 0; q < QUERIES; q++) {
            hits[q] = searcher.search(new KnnFloatVectorQuery(FIELD, vectors[q], 15), 15).scoreDocs;
            assertEquals(q, hits[q][0].doc);
          }
          if (expected == null) {
            expected = hits;
          }
          for (int q = 0; q < QUERIES; q++) {
            assertSameHits(expected[q], hits[q], directory);
          }
        }
      }
    }
  }

  private static void assertSameHits(ScoreDoc[] expected, ScoreDoc[] actual, Directory directory) {
    String name = directory.getClass().getSimpleName();
    assertEquals(expected.length, actual.length, name);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i].doc, actual[i].doc, name);
      // Lucene scores mapped and other vectors by different loops.
      assertEquals(expected[i].score, actual[i].score, 1e-5 * expected[i].score, name);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsTheNearestAcrossSegments(Storage storage, Random random) throws IOException {
    VectorSimilarityFunction similarity = VectorSimilarityFunction.COSINE;
    float[][] vectors = VectorIndex.vectors(random, 3000, DIMENSION, similarity);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
        int[] ends = {1500, 2700, 2999, 3000};
        int from = 0;
        for (int end : ends) {
          VectorIndex.add(writer, vectors, from, end, similarity);
          writer.flush();
          from = end;
        }
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(4, reader.leaves().size());
        double recall = 0;
        for (int q = 0; q < QUERIES; q++) {
          recall += recall(reader, vectors, vectors[q * 60], similarity) / QUERIES;
        }
        assertTrue(recall >= 0.98, "recall@10 " + recall);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void returnsEveryVectorBitForBit(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 700, 33);
    vectors[3][5] = -0f;
    vectors[4][5] = Float.MIN_VALUE;
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, VectorSimilarityFunction.EUCLIDEAN);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        for (LeafReaderContext leaf : reader.leaves()) {
          FloatVectorValues values = leaf.reader().getFloatVectorValues(FIELD);
          assertEquals(vectors.length, values.size());
          KnnVectorValues.DocIndexIterator iterator = values.iterator();
          while (iterator.nextDoc() != KnnVectorValues.DocIndexIterator.NO_MORE_DOCS) {
            // Compares bits: -0 and 0 differ.
            assertArrayEquals(vectors[iterator.docID()], values.vectorValue(iterator.index()));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void twoSearchesAgree(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 2000, 40); // hard to tell apart: much reranking
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, VectorSimilarityFunction.EUCLIDEAN);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        IndexSearcher searcher = new IndexSearcher(reader);
        for (int q = 0; q < 10; q++) {
          KnnFloatVectorQuery query = new KnnFloatVectorQuery(FIELD, vectors[q], 30);
          ScoreDoc[] first = searcher.search(query, 30).scoreDocs;
          ScoreDoc[] second = searcher.search(query, 30).scoreDocs;
          for (int i = 0; i < 30; i++) {
            assertEquals(first[i].doc, second[i].doc);
            // Lucene's vectorized sums round differently once they are compiled.
            assertEquals(first[i].score, second[i].score, 1e-6 * first[i].score);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void equalVectorsAreAllFound(Storage storage, Random random) throws IOException {
    float[] vector = Vectors.gaussian(random, 1, 20)[0];
    float[][] vectors = new float[1500][];
    Arrays.fill(vectors, vector);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, VectorSimilarityFunction.EUCLIDEAN);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        for (int k : new int[] {1, 10, 200, 1500, 5000}) {
          ScoreDoc[] hits =
              new IndexSearcher(reader)
                  .search(new KnnFloatVectorQuery(FIELD, vector, k), k)
                  .scoreDocs;
          assertEquals(
              Math.min(k, 1500), Arrays.stream(hits).map(hit -> hit.doc).distinct().count());
          assertTrue(Arrays.stream(hits).allMatch(hit -> hit.score == 1));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void copiesDoNotHideOthers(Storage storage, Random random) throws IOException {
    for (int copies : new int[] {20, 100}) { // as many as fit a row of the graph, and too many
      float[][] values = Vectors.gaussian(random, 2000 / copies, 24);
      float[][] vectors = new float[2000][];
      for (int i = 0; i < vectors.length; i++) {
        vectors[i] = values[i % values.length];
      }
      try (Directory directory = new ByteBuffersDirectory()) {
        VectorIndex.write(directory, storage.format(), vectors, VectorSimilarityFunction.EUCLIDEAN);
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          double recall = 0;
          for (int value = 0; value < 20; value++) {
            ScoreDoc[] hits =
                new IndexSearcher(reader)
                    .search(new KnnFloatVectorQuery(FIELD, values[value], copies), copies)
                    .scoreDocs;
            assertEquals(copies, hits.length);
            double equal = Arrays.stream(hits).filter(hit -> hit.score == 1).count();
            recall += equal / copies / 20;
          }
          assertTrue(recall >= 0.95, copies + " copies: recall " + recall);
        }
      }
    }
  }
}
