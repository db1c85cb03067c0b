package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelChoiceTest {
  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector128", "vector256", "vector512"})
  void obeysTheDemand(String demand) {
    KernelChoice choice = KernelChoice.choose(demand);
    assertEquals(demand, choice.kernels().name());
    assertEquals("demanded", choice.reason());
  }

  @Test
  void takesThePreferredWidthForVector() {
    assertEquals("vector" + VectorPqKernels.WIDTH, KernelChoice.choose("vector").kernels().name());
  }

  @Test
  void rejectsAnUnknownDemandAndListsTheKnownOnes() {
    var e = assertThrows(IllegalArgumentException.class, () -> KernelChoice.choose("avx"));
    assertEquals(
        "system property pq32.kernels must be scalar, vector, vector128, vector256 or vector512,"
            + " got 'avx'",
        e.getMessage());
  }

  @Test
  void choosesKernelsThatPassTheCheckAndSaysWhy() {
    KernelChoice choice = KernelChoice.choose(null);
    assertNull(KernelCheck.firstDifference(choice.kernels()));
    assertTrue(choice.reason().length() > 5, choice.reason());
  }

  @Test
  void winsARaceOnlyByFarTheFaster() {
    assertTrue(new KernelCheck.Race(10, 21).won());
    assertTrue(!new KernelCheck.Race(10, 20).won());
  }

  @Test
  void runsPlainLoopsWithoutTheVectorModule() throws Exception {
    assertEquals(List.of("scalar"), java(KernelChoiceTest.class.getName()));
  }

  @Test
  void readsTheDemandFromTheSystemProperty() throws Exception {
    assertEquals(
        List.of("vector256"),
        java(
            "--add-modules=jdk.incubator.vector",
            "-Dpq32.kernels=vector256",
            KernelChoiceTest.class.getName()));
  }

  @Test
  void runsPlainLoopsWithoutTheOptimizingCompiler() throws Exception {
    assertEquals(
        List.of("scalar"),
        java("--add-modules=jdk.incubator.vector", "-Xint", KernelChoiceTest.class.getName()));
  }

  /** Started by the tests in a JVM of its own. */
  public static void main(String[] args) {
    System.out.println(PqKernels.instance().name());
  }

  private static List<String> java(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.addAll(Arrays.asList(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output;
    try (var stream = process.getInputStream()) {
      output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } finally {
      process.destroy();
    }
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    return output.lines().toList();
  }

  @Test
  void namesTheKernelThatDiffers() {
    assertNull(KernelCheck.firstDifference(new ScalarPqKernels()));
    assertEquals(
        "dot",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public float dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
                return super.dot(a, aOffset, b, bOffset, length - 1);
              }
            }));
    assertEquals(
        "multiplyAdd",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public void multiplyAdd(
                  float[] a,
                  int aOffset,
                  int rows,
                  int inner,
                  float[] b,
                  int columns,
                  float[] out,
                  int outOffset) {
                super.multiplyAdd(a, aOffset, rows - 1, inner, b, columns, out, outOffset);
              }
            }));
    assertEquals(
        "multiplyIntegers",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public void multiplyIntegers(
                  float[] vector,
                  int vectorOffset,
                  float unit,
                  int inner,
                  short[] matrix,
                  int columns,
                  float[] scales,
                  float[] out,
                  int outOffset) {
                super.multiplyIntegers(
                    vector, vectorOffset, 1, inner, matrix, columns, scales, out, outOffset);
              }
            }));
    assertEquals(
        "innerProducts",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public void innerProducts(
                  float[] vector,
                  byte[] codebooks,
                  int subQuantizers,
                  int subDimension,
                  float[] out) {
                super.innerProducts(vector, codebooks, subQuantizers, subDimension, out);
                out[CODEBOOK_SIZE - 1]++;
              }
            }));
    assertEquals(
        "nearest",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public void nearest(
                  float[] points,
                  int pointsOffset,
                  int pointsStride,
                  int count,
                  float[] codebook,
                  int codebookOffset,
                  int subDimension,
                  float[] halfNorms,
                  int halfNormsOffset,
                  byte[] codes,
                  int codesOffset,
                  int codesStride) {
                super.nearest(
                    points,
                    pointsOffset,
                    pointsStride,
                    count,
                    codebook,
                    codebookOffset,
                    subDimension,
                    new float[CODEBOOK_SIZE],
                    0,
                    codes,
                    codesOffset,
                    codesStride);
              }
            }));
    assertEquals(
        "quantize",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public float quantize(
                  float[] table, int subQuantizers, float[] minima, byte[] levels) {
                float scale = super.quantize(table, subQuantizers, minima, levels);
                levels[7]++;
                return scale;
              }
            }));
    assertEquals(
        "scan",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public void scan(
                  MemorySegment codes,
                  long offset,
                  int blocks,
                  int subQuantizers,
                  byte[] levels,
                  short[] sums) {
                super.scan(codes, offset, blocks, subQuantizers - 1, levels, sums);
              }
            }));
    assertEquals(
        "score",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public void score(
                  MemorySegment codes,
                  long offset,
                  int[] ords,
                  int count,
                  int subQuantizers,
                  byte[] levels,
                  byte[] scratch,
                  short[] sums) {
                super.score(codes, offset, ords, count - 1, subQuantizers, levels, scratch, sums);
              }
            }));
    assertEquals(
        "scanBlocks",
        KernelCheck.firstDifference(
            new ScalarPqKernels() {
              @Override
              public void scanBlocks(
                  MemorySegment codes,
                  long offset,
                  int[] blocks,
                  int first,
                  int count,
                  int subQuantizers,
                  byte[] levels,
                  int threshold,
                  short[] sums,
                  long[] above) {
                super.scanBlocks(
                    codes,
                    offset,
                    blocks,
                    first,
                    count,
                    subQuantizers,
                    levels,
                    threshold + MAX_LEVEL,
                    sums,
                    above);
              }
            }));
  }
}
