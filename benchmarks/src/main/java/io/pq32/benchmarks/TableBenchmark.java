package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;

/** What the distance table of one projected query costs. */
public class TableBenchmark extends KernelBenchmark {
  private PqKernels chosen;
  private float[] query;
  private byte[] codebooks;
  private final float[] table = new float[SUB_QUANTIZERS * PqKernels.CODEBOOK_SIZE];
  private final float[] minima = new float[SUB_QUANTIZERS];
  private final byte[] levels = new byte[table.length];

  /** Draws a query and centroids, and fills the table that is quantized. */
  @Setup
  public void draw() {
    Random random = new Random(42);
    chosen = kernels();
    query = gaussians(random, PROJECTED_DIMENSION);
    codebooks = bytes(random, PROJECTED_DIMENSION * PqKernels.CODEBOOK_SIZE);
    innerProducts();
  }

  /** Inner products with all centroids. */
  @Benchmark
  public float[] innerProducts() {
    chosen.innerProducts(query, codebooks, SUB_QUANTIZERS, SUB_DIMENSION, table);
    return table;
  }

  /** Seven bits of each entry. */
  @Benchmark
  public byte[] quantize() {
    chosen.quantize(table, SUB_QUANTIZERS, minima, levels);
    return levels;
  }
}
