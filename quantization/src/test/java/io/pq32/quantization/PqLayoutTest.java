package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PqLayoutTest {
  @Test
  void pq32IsThirtyTwoBytesWhateverTheDimension() {
    for (int dimension = 1; dimension <= PqLayout.MAX_DIMENSION; dimension++) {
      assertEquals(32, PqLayout.pq32(dimension).codeBytes());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 32, 1, 32",
    "31, 32, 1, 32",
    "32, 32, 1, 32",
    "33, 32, 2, 64",
    "100, 32, 4, 128",
    "192, 32, 6, 192",
    "193, 32, 6, 192",
    "768, 32, 6, 192",
    "4096, 32, 6, 192",
    "17, 16, 2, 32",
    "768, 16, 6, 96",
    "768, 48, 6, 288",
    "100, 96, 2, 192",
    "4096, 96, 6, 576"
  })
  void cutsAVectorIntoEqualParts(
      int dimension, int subQuantizers, int subDimension, int projectedDimension) {
    PqLayout layout = new PqLayout(dimension, subQuantizers);
    assertEquals(subDimension, layout.subDimension());
    assertEquals(projectedDimension, layout.projectedDimension());
  }

  @Test
  void keepsEveryDimensionOfAVectorThatFits() {
    for (int subQuantizers = 16; subQuantizers <= 96; subQuantizers += 16) {
      for (int dimension = 1; dimension <= 6 * subQuantizers; dimension++) {
        assertTrue(new PqLayout(dimension, subQuantizers).projectedDimension() >= dimension);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 4097, Integer.MAX_VALUE})
  void rejectsDimensionOutOfRange(int dimension) {
    var e = assertThrows(IllegalArgumentException.class, () -> PqLayout.pq32(dimension));
    assertEquals("dimension must be between 1 and 4096; got " + dimension, e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {-16, 0, 8, 17, 24, 40, 97, 112, Integer.MAX_VALUE})
  void rejectsSubQuantizersThatTheKernelsCannotTake(int subQuantizers) {
    var e = assertThrows(IllegalArgumentException.class, () -> new PqLayout(768, subQuantizers));
    assertEquals(
        "subQuantizers must be a multiple of 16 up to 96; got " + subQuantizers, e.getMessage());
  }
}
