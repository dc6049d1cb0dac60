/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy language. A faulty line is reported and skipped, so that one run finds all of them. */
%code requires {
#include "policy/policy_build.h"
}
%code provides {
int policy_lex_lex(POLICY_YYSTYPE *value, POLICY_YYLTYPE *at, void *scanner);
}
%code {
#include <errno.h>
#include <stdio.h>

#define policy_yylex policy_lex_lex
#define YYLLOC_DEFAULT(cur, rhs, n) ((cur) = (n) ? YYRHSLOC(rhs, 1) : YYRHSLOC(rhs, 0))

static void policy_yyerror(struct policy_at *at, struct policy_build *build, void *scanner,
                           const char *message)
{
    (void)at, (void)scanner, (void)message; /* comes only when the parser's stack cannot grow */
    build->faults.error = -ENOMEM;
}
}
%define api.prefix {policy_yy}
%define api.pure full
%define api.location.type {struct policy_at}
%define parse.error custom
%define parse.lac full
%locations
%parse-param {struct policy_build *build} {void *scanner}
%lex-param {void *scanner}
%initial-action { @$ = (struct policy_at){1, 1}; }

%union {
    struct policy_word word;
    struct policy_note note;
    struct policy_does does;
}
%token YYEOF 0 "the end of the text"
%token NEWLINE "the end of the line"
%token FAULTY "a fault"
%token <word> OPEN "{" CLOSE "}" WORD "a word" STRING "a quoted text"
%token <word> PROFILE "profile" FROM "from" PRODUCT "product" UNVERIFIED "unverified" SOURCE "source"
%token <word> RULE "rule" MATCH "match" DEFAULT "default" USE "use" DROP "drop" REFUSE "reject"
%type <word> word inner
%type <note> notes
%type <does> does

%%
file: lines | unclosed;

lines: %empty
    | lines line
    | lines keyed
    | unclosed keyed
    ;

/* A profile that meets the next statement or the end of the text: one fault, not one for every line. */
unclosed: lines head settings       { policy_build_unclosed(build); }
    | unclosed head settings        { policy_build_unclosed(build); }
    ;

line: NEWLINE
    | inner args NEWLINE            { policy_build_global(build, $1); }
    | PRODUCT args NEWLINE          { policy_build_global(build, $1); }
    | error NEWLINE                 { yyerrok; }
    ;

keyed: RULE word MATCH STRING does NEWLINE { policy_build_rule(build, $2, $4, $5); }
    | DEFAULT does NEWLINE          { policy_build_default(build, $1, $2); }
    | head settings close NEWLINE   { policy_build_close(build); }
    | head settings close error NEWLINE { policy_build_close(build); yyerrok; }
    | PROFILE error NEWLINE         { yyerrok; }
    | RULE error NEWLINE            { yyerrok; }
    | DEFAULT error NEWLINE         { policy_build_default_faulty(build, $1); yyerrok; }
    ;

head: PROFILE word OPEN             { policy_build_open(build, @1, &$2, NULL); }
    | PROFILE word FROM word OPEN   { policy_build_open(build, @1, &$2, &$4); }
    | PROFILE error OPEN            { policy_build_open(build, @1, NULL, NULL); yyerrok; }
    ;

settings: %empty | settings setting;

setting: NEWLINE
    | set NEWLINE
    | error NEWLINE                 { yyerrok; }
    ;

set: inner word notes               { policy_build_setting(build, $1, $2, $3); }
    | PRODUCT STRING                { policy_build_product(build, $1, $2); }
    ;

close: CLOSE | set CLOSE | error CLOSE { yyerrok; };

notes: %empty                       { $$ = (struct policy_note){0}; }
    | notes UNVERIFIED              { $$ = $1; $$.unverified = true; }
    | notes SOURCE STRING           { $$ = $1; $$.has_source = true; $$.source = $3; }
    ;

does: USE word                      { $$ = (struct policy_does){ACTION_USE, $2}; }
    | DROP                          { $$ = (struct policy_does){ACTION_DROP, $1}; }
    | REFUSE                        { $$ = (struct policy_does){ACTION_REJECT, $1}; }
    ;

args: %empty                        { build->n_args = 0; }
    | args word                     { policy_build_arg(build, $2); }
    ;

/* Words that begin no statement and no line of their own elsewhere. */
inner: WORD | FROM | UNVERIFIED | SOURCE | MATCH | USE | DROP | REFUSE;
word: inner | PRODUCT | PROFILE | RULE | DEFAULT;
%%

/* The names of what may stand here. Where any word may, the words of the language say nothing. */
static int yyreport_syntax_error(const yypcontext_t *context, struct policy_build *build,
                                        void *scanner)
{
    yysymbol_kind_t token = yypcontext_token(context), expected[YYNTOKENS];
    int n = yypcontext_expected_tokens(context, expected, YYNTOKENS);
    bool any_word = false;
    char allowed[256] = "";
    size_t used = 0;

    (void)scanner;
    if (n < 0)
        return n;
    if (token == YYSYMBOL_FAULTY)
        return 0; /* the lexer has reported it */
    for (int i = 0; i < n; i++)
        any_word |= expected[i] == YYSYMBOL_WORD;
    for (int i = 0; i < n && used < sizeof(allowed); i++)
        if (expected[i] != YYSYMBOL_FAULTY && expected[i] != YYSYMBOL_YYEOF && (!any_word || expected[i] <= YYSYMBOL_STRING))
            used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
                                     used ? ", " : "", yysymbol_name(expected[i]));
    if (token == YYSYMBOL_NEWLINE)
        policy_fault(&build->faults, *yypcontext_location(context),
                     "the line ends too early; allowed: %s", allowed);
    else
        policy_fault(&build->faults, *yypcontext_location(context),
                     token == YYSYMBOL_STRING ? "%.*s does not belong here; allowed: %s"
                                              : "\"%.*s\" does not belong here; allowed: %s",
                     POLICY_WORD_ARG(build->last), allowed);
    return 0;
}
