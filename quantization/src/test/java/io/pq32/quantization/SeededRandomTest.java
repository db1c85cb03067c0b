package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class SeededRandomTest {
  private static final Set<Long> FIRST_NUMBERS = new HashSet<>();
  private Random beforeEach;

  @BeforeEach
  void remember(Random random) {
    beforeEach = random;
  }

  @RepeatedTest(4)
  void givesEveryInvocationItsOwnNumbers(Random random) {
    assertSame(beforeEach, random);
    assertTrue(FIRST_NUMBERS.add(random.nextLong()));
  }

  @Test
  void readsTheFirstSeedOfAChain() {
    assertEquals(0xDEADBEEFL, SeededRandom.seed("DEADBEEF"));
    assertEquals(-1L, SeededRandom.seed("FFFFFFFFFFFFFFFF:1"));
    assertEquals(SeededRandom.seed(""), SeededRandom.seed(""));
  }

  @Test
  void rejectsWhatIsNotHexadecimal() {
    var e = assertThrows(IllegalArgumentException.class, () -> SeededRandom.seed("fish"));
    assertTrue(e.getMessage().contains("'fish'"), e.getMessage());
  }
}
