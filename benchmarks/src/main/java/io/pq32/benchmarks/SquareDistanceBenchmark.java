package io.pq32.benchmarks;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.lucene.util.VectorUtil;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What one exact float distance costs with Lucene's kernel: the unit all others are read in. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SquareDistanceBenchmark {
  /** Dimensions of both vectors. */
  @Param({"128", "768"})
  public int dimension;

  private float[] a;
  private float[] b;

  /** Draws two vectors. */
  @Setup
  public void draw() {
    Random random = new Random(42);
    a = new float[dimension];
    b = new float[dimension];
    for (int i = 0; i < dimension; i++) {
      a[i] = random.nextFloat();
      b[i] = random.nextFloat();
    }
  }

  /** Lucene's squared Euclidean distance. */
  @Benchmark
  public float lucene() {
    return VectorUtil.squareDistance(a, b);
  }
}
