package io.pq32.quantization;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The kernels as plain loops: the definition of the results, and the oracle of every other one. */
class ScalarPqKernels extends PqKernels {
  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public float dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
    float sum = 0;
    for (int i = 0; i < length; i++) {
      sum += a[aOffset + i] * b[bOffset + i];
    }
    return sum;
  }

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
    for (int row = 0; row < rows; row++) {
      int outRow = outOffset + row * columns;
      for (int i = 0; i < inner; i++) {
        float factor = a[aOffset + row * inner + i];
        int bRow = i * columns;
        for (int column = 0; column < columns; column++) {
          out[outRow + column] += factor * b[bRow + column];
        }
      }
    }
  }

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
    Arrays.fill(out, outOffset, outOffset + columns, 0f);
    for (int k = 0; k < inner; k++) {
      float factor = unit * vector[vectorOffset + k];
      for (int column = 0; column < columns; column++) {
        out[outOffset + column] += factor * matrix[k * columns + column];
      }
    }
    for (int column = 0; column < columns; column++) {
      out[outOffset + column] *= scales[column];
    }
  }

  @Override
  public void innerProducts(
      float[] vector, byte[] codebooks, int subQuantizers, int subDimension, float[] out) {
    for (int m = 0; m < subQuantizers; m++) {
      for (int centroid = 0; centroid < CODEBOOK_SIZE; centroid++) {
        float sum = 0;
        for (int d = 0; d < subDimension; d++) {
          int row = m * subDimension + d;
          sum += vector[row] * codebooks[row * CODEBOOK_SIZE + centroid];
        }
        out[m * CODEBOOK_SIZE + centroid] = sum;
      }
    }
  }

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
    for (int i = 0; i < count; i++) {
      int point = pointsOffset + i * pointsStride;
      int best = 0;
      float bestValue = Float.NEGATIVE_INFINITY;
      for (int centroid = 0; centroid < CODEBOOK_SIZE; centroid++) {
        float value = -halfNorms[halfNormsOffset + centroid];
        for (int d = 0; d < subDimension; d++) {
          value += points[point + d] * codebook[codebookOffset + d * CODEBOOK_SIZE + centroid];
        }
        if (value > bestValue) {
          bestValue = value;
          best = centroid;
        }
      }
      codes[codesOffset + i * codesStride] = (byte) best;
    }
  }

  @Override
  public void refine(
      float[] points,
      float[] directions,
      int offset,
      int stride,
      int count,
      float[] codebook,
      int codebookOffset,
      int subDimension,
      float[] halfNorms,
      int halfNormsOffset,
      float weight,
      float[] errors,
      byte[] codes,
      int codesOffset,
      int codesStride) {
    for (int i = 0; i < count; i++) {
      int point = offset + i * stride;
      int code = codesOffset + i * codesStride;
      int old = codebookOffset + (codes[code] & 0xFF);
      float slack = errors[i] + product(directions, point, codebook, old, subDimension);
      if (Math.abs(slack) <= MAX_ERROR) {
        int best =
            best(
                points,
                directions,
                point,
                codebook,
                codebookOffset,
                subDimension,
                halfNorms,
                halfNormsOffset,
                weight,
                slack);
        codes[code] = (byte) best;
        errors[i] =
            slack - product(directions, point, codebook, codebookOffset + best, subDimension);
      }
    }
  }

  /** The centroid of {@link #refine} for one point, given the error without its sub-quantizer. */
  int best(
      float[] points,
      float[] directions,
      int point,
      float[] codebook,
      int codebookOffset,
      int subDimension,
      float[] halfNorms,
      int halfNormsOffset,
      float weight,
      float slack) {
    int best = 0;
    float bestValue = Float.NEGATIVE_INFINITY;
    for (int centroid = 0; centroid < CODEBOOK_SIZE; centroid++) {
      float value = -halfNorms[halfNormsOffset + centroid];
      float error = -slack;
      for (int d = 0; d < subDimension; d++) {
        float component = codebook[codebookOffset + d * CODEBOOK_SIZE + centroid];
        value += points[point + d] * component;
        error += directions[point + d] * component;
      }
      value -= weight * error * error;
      if (value > bestValue) {
        bestValue = value;
        best = centroid;
      }
    }
    return best;
  }

  /** Inner product of a sub-vector with the centroid whose first component is {@code from}. */
  private static float product(
      float[] vector, int offset, float[] codebook, int from, int subDimension) {
    float sum = 0;
    for (int d = 0; d < subDimension; d++) {
      sum += vector[offset + d] * codebook[from + d * CODEBOOK_SIZE];
    }
    return sum;
  }

  @Override
  public float quantize(float[] table, int subQuantizers, float[] minima, byte[] levels) {
    float range = 0;
    for (int m = 0; m < subQuantizers; m++) {
      float min = table[m * CODEBOOK_SIZE];
      float max = min;
      for (int centroid = 1; centroid < CODEBOOK_SIZE; centroid++) {
        float value = table[m * CODEBOOK_SIZE + centroid];
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
      minima[m] = min;
      range = Math.max(range, max - min);
    }
    float scale = scale(range);
    for (int m = 0; m < subQuantizers; m++) {
      for (int centroid = 0; centroid < CODEBOOK_SIZE; centroid++) {
        int i = m * CODEBOOK_SIZE + centroid;
        levels[i] = (byte) Math.rint((table[i] - minima[m]) * scale);
      }
    }
    return scale;
  }

  /** Finite even where a range is so small that its inverse is not. */
  static float scale(float range) {
    return range > 0 ? Math.min(MAX_LEVEL / range, Float.MAX_VALUE) : 0;
  }

  @Override
  public void scan(
      MemorySegment codes,
      long offset,
      int blocks,
      int subQuantizers,
      byte[] levels,
      short[] sums) {
    for (int block = 0; block < blocks; block++) {
      long from = offset + (long) block * subQuantizers * BLOCK_SIZE;
      scanBlock(codes, from, subQuantizers, levels, sums, block * BLOCK_SIZE);
    }
  }

  private static void scanBlock(
      MemorySegment codes, long offset, int subQuantizers, byte[] levels, short[] sums, int to) {
    for (int i = 0; i < BLOCK_SIZE; i++) {
      int sum = 0;
      for (int m = 0; m < subQuantizers; m++) {
        int centroid = codes.get(JAVA_BYTE, offset + (long) m * BLOCK_SIZE + i) & 0xFF;
        sum += levels[m * CODEBOOK_SIZE + centroid];
      }
      sums[to + i] = (short) sum;
    }
  }

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
    for (int i = 0; i < count; i++) {
      long from = offset + (long) blocks[first + i] * subQuantizers * BLOCK_SIZE;
      scanBlock(codes, from, subQuantizers, levels, sums, i * BLOCK_SIZE);
      above[i] = 0;
      for (int j = 0; j < BLOCK_SIZE; j++) {
        above[i] |= (sums[i * BLOCK_SIZE + j] > threshold ? 1L : 0L) << j;
      }
    }
  }

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
    for (int i = 0; i < count; i++) {
      MemorySegment.copy(
          codes,
          JAVA_BYTE,
          offset + (long) ords[i] * subQuantizers,
          scratch,
          i * subQuantizers,
          subQuantizers);
    }
    for (int i = 0; i < count; i++) {
      int sum = 0;
      for (int m = 0; m < subQuantizers; m++) {
        sum += levels[m * CODEBOOK_SIZE + (scratch[i * subQuantizers + m] & 0xFF)];
      }
      sums[i] = (short) sum;
    }
  }
}
