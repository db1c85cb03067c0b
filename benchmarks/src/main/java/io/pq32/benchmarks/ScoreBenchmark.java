package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.lucene.codecs.hnsw.FlatVectorScorerUtil;
import org.apache.lucene.codecs.hnsw.FlatVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104ScalarQuantizedVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99FlatVectorsFormat;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.util.IOUtils;
import org.apache.lucene.util.VectorUtil;
import org.apache.lucene.util.hnsw.RandomVectorScorer;
import org.apache.lucene.util.quantization.QuantizedByteVectorValues.ScalarEncoding;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What one comparison costs where a graph walk asks for 64 vectors at random: codes of 32 bytes
 * beside what Lucene's formats store for a vector of 768 dimensions, in nanoseconds per vector.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ScoreBenchmark {
  static final int DIMENSION = 768;

  private static final int BATCH = PqKernels.BLOCK_SIZE;
  private static final int BATCHES = 1024;

  /** Whose scores: pq32's with plain loops or in registers, or a format of Lucene's. */
  @Param({"pq32-scalar", "pq32-vector", "float", "int8", "1bit"})
  public String scorer;

  /** Vectors to choose from. */
  @Param({"10000", "100000"})
  public int count;

  private final int[][] batches = new int[BATCHES][BATCH];
  private final float[] scores = new float[BATCH];
  private Scorer chosen;
  private int batch;

  private interface Scorer {
    void score(int[] ords, float[] scores) throws IOException;

    default void close() throws IOException {}
  }

  /** Draws vectors or codes, a query, and batches of ordinals. */
  @Setup
  public void draw() throws IOException {
    Random random = new Random(42);
    for (int[] ords : batches) {
      Arrays.setAll(ords, i -> random.nextInt(count));
    }
    batch = 0;
    chosen =
        switch (scorer) {
          case "pq32-scalar" -> codes(random, "scalar");
          case "pq32-vector" -> codes(random, "vector");
          case "float" ->
              vectors(
                  random,
                  new Lucene99FlatVectorsFormat(
                      FlatVectorScorerUtil.getLucene99FlatVectorsScorer()));
          case "int8" -> vectors(random, ScalarEncoding.UNSIGNED_BYTE);
          case "1bit" -> vectors(random, ScalarEncoding.SINGLE_BIT_QUERY_NIBBLE);
          default -> throw new IllegalArgumentException("unknown scorer '" + scorer + "'");
        };
  }

  /** Removes what was written. */
  @TearDown
  public void close() throws IOException {
    chosen.close();
  }

  /** Scores of the next batch. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public float[] score() throws IOException {
    chosen.score(batches[batch++ % BATCHES], scores);
    return scores;
  }

  private Scorer codes(Random random, String kernelsName) {
    int codeBytes = KernelBenchmark.SUB_QUANTIZERS;
    PqKernels kernels = PqKernels.named(kernelsName);
    byte[] levels = KernelBenchmark.levels(random);
    byte[] bytes = KernelBenchmark.bytes(random, count * codeBytes);
    MemorySegment codes = Arena.ofAuto().allocate(bytes.length, 64);
    codes.copyFrom(MemorySegment.ofArray(bytes));
    byte[] scratch = new byte[BATCH * codeBytes];
    short[] sums = new short[BATCH];
    return (ords, out) -> {
      kernels.score(codes, 0, ords, BATCH, codeBytes, levels, scratch, sums);
      for (int i = 0; i < BATCH; i++) {
        out[i] = sums[i];
      }
    };
  }

  private Scorer vectors(Random random, ScalarEncoding encoding) throws IOException {
    return vectors(random, new Lucene104ScalarQuantizedVectorsFormat(encoding));
  }

  private Scorer vectors(Random random, FlatVectorsFormat format) throws IOException {
    float[] query = unitVector(random);
    float[][] vectors = new float[count][];
    Arrays.setAll(vectors, i -> unitVector(random));
    Path folder = Files.createTempDirectory("pq32-score");
    MMapDirectory directory = new MMapDirectory(folder);
    FlatSegment segment = FlatSegment.write(format, directory, vectors);
    RandomVectorScorer luceneScorer = segment.scorer(query);
    return new Scorer() {
      @Override
      public void score(int[] ords, float[] out) throws IOException {
        luceneScorer.bulkScore(ords, out, BATCH);
      }

      @Override
      public void close() throws IOException {
        IOUtils.close(segment, directory);
        IOUtils.rm(folder);
      }
    };
  }

  private static float[] unitVector(Random random) {
    return VectorUtil.l2normalize(KernelBenchmark.gaussians(random, DIMENSION));
  }
}
