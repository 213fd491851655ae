import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Scanner;
import java.util.regex.Pattern;

/** Reads lines of a pattern and a sample, both in base64, and says for each whether the whole sample matches. */
class Match {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in, StandardCharsets.US_ASCII);
        while (in.hasNextLine()) {
            String[] line = in.nextLine().split(" ", -1);
            System.out.println(Pattern.matches(decode(line[0]), decode(line[1])) ? 1 : 0);
        }
    }

    static String decode(String s) {
        return new String(Base64.getDecoder().decode(s), StandardCharsets.UTF_8);
    }
}
