RECMERGE.take("merit-cpu",
{
"suite":"merit-cpu",
"title":"Food-Kitchen on two cores: MERIT, ABXI and baselines, 64 wide",
"label":"converged",
"about":"Trainings end by validation. Means over the seeds.",
"command":"recmerge-bench run --suite merit-cpu",
"metrics":[
"MRR",
"NDCG@10",
"HR@5",
"HR@10"
],
"tables":[
{
"track":"food-kitchen",
"protocol":"mixed-merit-sampled-999",
"domains":[
"food",
"kitchen"
],
"card":[
["dataset","amazon-merit"],
["domains","food, kitchen"],
["source of the shared base","none"],
["split","leave-one-out on the latest 50 events of users with 5 in each domain: MERIT's, 999 sampled negatives (last=50, least_each=5, min_length=3, scope=mixed)"],
["ranked against","999 sampled candidates, seed 2026, set `24668db41a8b0dfa`"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","food 2419, kitchen 4725"],
["seeds","0, 1, 3407"]
],
"reference":null,
"compared":[
{"metric":"MRR","id":"761348","label":"sasrec-dt (paper recipe)","mean":0.12175}
],
"across":{
"metric":"MRR",
"rows":[["ca1c7c",7.0,7.0,7.0],["895e47",5.0,5.0,5.0],["449f30",6.0,6.0,6.0],["ab3353",4.0,4.0,4.0],["761348",3.0,3.0,3.0],["99f41c",2.0,1.5,2.0],["357d71",1.0,1.0,1.5]],
"groups":[[1,3,4,5,6],[2],[0]],
"said":"too few domains for a Friedman test: 2 of at least 8",
"difference":null,
"left":4
},
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","seeds":[],"wanted":0,"values":{"MRR":{"food":[0.0277574,null,[0.0277574]],"kitchen":[0.0286885,null,[0.0286885]],"mean":[0.0282229,null,[0.0282229]]},"NDCG@10":{"food":[0.0241574,null,[0.0241574]],"kitchen":[0.0280486,null,[0.0280486]],"mean":[0.026103,null,[0.026103]]},"HR@5":{"food":[0.0248036,null,[0.0248036]],"kitchen":[0.0302646,null,[0.0302646]],"mean":[0.0275341,null,[0.0275341]]},"HR@10":{"food":[0.0541546,null,[0.0541546]],"kitchen":[0.0605291,null,[0.0605291]],"mean":[0.0573419,null,[0.0573419]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.0935268,"relative":-0.768189,"methods":[-0.100056,-0.0869979],"models":[-0.0995356,-0.087518],"bootstrap":[-0.10122,-0.0857008],"p":0.000817213,"dz":-0.393165,"wins":[2228,13,4903]},"cost":{"train":0.04,"merge":0,"other":5.17,"peak":512},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","seeds":[],"wanted":0,"values":{"MRR":{"food":[0.074848,null,[0.074848]],"kitchen":[0.0466814,null,[0.0466814]],"mean":[0.0607647,null,[0.0607647]]},"NDCG@10":{"food":[0.073375,null,[0.073375]],"kitchen":[0.0464561,null,[0.0464561]],"mean":[0.0599155,null,[0.0599155]]},"HR@5":{"food":[0.0801984,null,[0.0801984]],"kitchen":[0.0497354,null,[0.0497354]],"mean":[0.0649669,null,[0.0649669]]},"HR@10":{"food":[0.105002,null,[0.105002]],"kitchen":[0.0785185,null,[0.0785185]],"mean":[0.0917603,null,[0.0917603]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.060985,"relative":-0.500905,"methods":[-0.0670561,-0.054914],"models":[-0.0664707,-0.0554994],"bootstrap":[-0.0680228,-0.0535945],"p":0.00160069,"dz":-0.279473,"wins":[2353,115,4676]},"cost":{"train":0.15,"merge":0,"other":10.42,"peak":439},"gaps":[]},
{"id":"449f30","backbone":"\u2013","method":"nearest-id","label":"nearest-id","page":"nearest-id","recipe":"fixed","seeds":[],"wanted":0,"values":{"MRR":{"food":[0.0565433,null,[0.0565433]],"kitchen":[0.0336134,null,[0.0336134]],"mean":[0.0450783,null,[0.0450783]]},"NDCG@10":{"food":[0.0588438,null,[0.0588438]],"kitchen":[0.0345487,null,[0.0345487]],"mean":[0.0466963,null,[0.0466963]]},"HR@5":{"food":[0.0686234,null,[0.0686234]],"kitchen":[0.0410582,null,[0.0410582]],"mean":[0.0548408,null,[0.0548408]]},"HR@10":{"food":[0.0901199,null,[0.0901199]],"kitchen":[0.0673016,null,[0.0673016]],"mean":[0.0787107,null,[0.0787107]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.0766714,"relative":-0.629746,"methods":[-0.0836055,-0.0697373],"models":[-0.0831316,-0.0702112],"bootstrap":[-0.0843965,-0.0681653],"p":0.00105683,"dz":-0.301827,"wins":[2308,47,4789]},"cost":{"train":0.05,"merge":0,"other":6.19,"peak":530},"gaps":[]},
{"id":"ab3353","backbone":"\u2013","method":"sasrec-st","label":"sasrec-st (paper recipe)","page":"sasrec-st","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.134646,[0.127049,0.142244],[0.137661,0.134732,0.131546]],"kitchen":[0.0898409,[0.0780562,0.101626],[0.0952844,0.0876493,0.0865889]],"mean":[0.112244,[0.102771,0.121716],[0.116473,0.111191,0.109067]]},"NDCG@10":{"food":[0.160667,[0.15298,0.168354],[0.163854,0.160472,0.157675]],"kitchen":[0.105063,[0.0938932,0.116233],[0.110218,0.103022,0.10195]],"mean":[0.132865,[0.123575,0.142155],[0.137036,0.131747,0.129812]]},"HR@5":{"food":[0.199256,[0.196539,0.201973],[0.199669,0.200083,0.198016]],"kitchen":[0.124233,[0.110413,0.138053],[0.130582,0.120212,0.121905]],"mean":[0.161744,[0.154466,0.169022],[0.165126,0.160147,0.15996]]},"HR@10":{"food":[0.275596,[0.268026,0.283166],[0.279041,0.274494,0.273253]],"kitchen":[0.190123,[0.182427,0.19782],[0.193439,0.18963,0.187302]],"mean":[0.23286,[0.225257,0.240462],[0.23624,0.232062,0.230277]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00950613,"relative":-0.0780793,"methods":[-0.016247,-0.00276523],"models":[-0.0134132,-0.00559905],"bootstrap":[-0.0170615,-2.0249e-05],"p":0.127364,"dz":-0.0629305,"wins":[3326,178,3640]},"cost":{"train":300.12,"merge":0,"other":5.52,"peak":721},"gaps":[]},
{"id":"761348","backbone":"\u2013","method":"sasrec-dt","label":"sasrec-dt (paper recipe)","page":"sasrec-dt","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.14358,[0.140839,0.146321],[0.143652,0.144646,0.142442]],"kitchen":[0.0999195,[0.0929481,0.106891],[0.101564,0.101516,0.0966791]],"mean":[0.12175,[0.117004,0.126496],[0.122608,0.123081,0.119561]]},"NDCG@10":{"food":[0.17045,[0.168782,0.172118],[0.17003,0.171225,0.170096]],"kitchen":[0.117839,[0.110211,0.125467],[0.119361,0.119852,0.114305]],"mean":[0.144145,[0.139833,0.148456],[0.144695,0.145538,0.142201]]},"HR@5":{"food":[0.217721,[0.211704,0.223738],[0.214965,0.218685,0.219512]],"kitchen":[0.142857,[0.130098,0.155617],[0.146032,0.145608,0.136931]],"mean":[0.180289,[0.175393,0.185185],[0.180498,0.182147,0.178222]]},"HR@10":{"food":[0.279454,[0.273737,0.285172],[0.276974,0.279868,0.281521]],"kitchen":[0.209877,[0.202002,0.217751],[0.210794,0.212487,0.206349]],"mean":[0.244665,[0.241412,0.247918],[0.243884,0.246177,0.243935]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"baseline","cost":{"train":240.57,"merge":0,"other":5.56,"peak":716},"gaps":[]},
{"id":"b8dabe","backbone":"\u2013","method":"bert4rec-st","label":"bert4rec-st (paper recipe)","page":"bert4rec-st","recipe":"paper","seeds":[3407],"wanted":3,"values":{"MRR":{"food":[0.116752,null,[0.116752]],"kitchen":[0.0841732,null,[0.0841732]],"mean":[0.100463,null,[0.100463]]},"NDCG@10":{"food":[0.137914,null,[0.137914]],"kitchen":[0.100424,null,[0.100424]],"mean":[0.119169,null,[0.119169]]},"HR@5":{"food":[0.163704,null,[0.163704]],"kitchen":[0.125926,null,[0.125926]],"mean":[0.144815,null,[0.144815]]},"HR@10":{"food":[0.238115,null,[0.238115]],"kitchen":[0.188995,null,[0.188995]],"mean":[0.213555,null,[0.213555]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.0221451,"relative":-0.180617,"methods":null,"models":[-0.0278825,-0.0164076],"bootstrap":[-0.0279327,-0.0164637],"p":null,"dz":-0.0983258,"wins":[3305,270,3569]},"cost":{"train":299.38,"merge":0,"other":5.37,"peak":1215},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1]}]},
{"id":"49921a","backbone":"\u2013","method":"bert4rec-dt","label":"bert4rec-dt (paper recipe)","page":"bert4rec-dt","recipe":"paper","seeds":[3407,0],"wanted":3,"values":{"MRR":{"food":[0.132759,[0.0994316,0.166086],[0.135382,0.130136]],"kitchen":[0.0954047,[0.0536263,0.137183],[0.0986927,0.0921167]],"mean":[0.114082,[0.076529,0.151634],[0.117037,0.111126]]},"NDCG@10":{"food":[0.157665,[0.126183,0.189146],[0.160142,0.155187]],"kitchen":[0.11246,[0.0585858,0.166334],[0.1167,0.10822]],"mean":[0.135062,[0.0923845,0.17774],[0.138421,0.131703]]},"HR@5":{"food":[0.204423,[0.14927,0.259576],[0.208764,0.200083]],"kitchen":[0.135132,[0.0611808,0.209084],[0.140952,0.129312]],"mean":[0.169778,[0.105226,0.23433],[0.174858,0.164697]]},"HR@10":{"food":[0.260645,[0.237008,0.284282],[0.262505,0.258785]],"kitchen":[0.203492,[0.126851,0.280133],[0.209524,0.19746]],"mean":[0.232068,[0.18193,0.282207],[0.236014,0.228122]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00876259,"relative":-0.0713309,"methods":[-0.049278,0.0317528],"models":[-0.0137572,-0.00376801],"bootstrap":[-0.0420534,0.0238529],"p":0.891201,"dz":-0.0441967,"wins":[3231,214,3699]},"cost":{"train":449.58,"merge":0,"other":5.86,"peak":734},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[1]}]},
{"id":"8abf09","backbone":"\u2013","method":"cd-sasrec","label":"cd-sasrec (paper recipe)","page":"cd-sasrec","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"5db586","backbone":"\u2013","method":"cd-asr","label":"cd-asr (paper recipe)","page":"cd-asr","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"35c669","backbone":"\u2013","method":"mgcl","label":"mgcl (paper recipe)","page":"mgcl","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"92cdfc","backbone":"\u2013","method":"c2dsr","label":"c2dsr (paper recipe)","page":"c2dsr","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"37ac52","backbone":"\u2013","method":"dream","label":"dream (paper recipe)","page":"dream","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"99f41c","backbone":"\u2013","method":"abxi","label":"abxi (paper recipe)","page":"abxi","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.15189,[0.146224,0.157555],[0.15353,0.149285,0.152854]],"kitchen":[0.109548,[0.106454,0.112642],[0.109161,0.110941,0.108542]],"mean":[0.130719,[0.129187,0.13225],[0.131346,0.130113,0.130698]]},"NDCG@10":{"food":[0.180005,[0.173825,0.186185],[0.182085,0.177249,0.180681]],"kitchen":[0.130108,[0.129221,0.130996],[0.130371,0.130252,0.129702]],"mean":[0.155057,[0.151966,0.158147],[0.156228,0.15375,0.155191]]},"HR@5":{"food":[0.231087,[0.223972,0.238202],[0.234394,0.229434,0.229434]],"kitchen":[0.158307,[0.149463,0.167151],[0.155556,0.162328,0.157037]],"mean":[0.194697,[0.191357,0.198037],[0.194975,0.195881,0.193235]]},"HR@10":{"food":[0.294337,[0.284067,0.304606],[0.29847,0.290203,0.294337]],"kitchen":[0.228148,[0.219953,0.236344],[0.230053,0.224339,0.230053]],"mean":[0.261242,[0.25232,0.270164],[0.264262,0.257271,0.262195]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":0.00896915,"relative":0.0736688,"methods":[0.00433915,0.0135992],"models":[0.00585993,0.0120784],"bootstrap":[0.00292418,0.0152803],"p":0.0838824,"dz":0.0725356,"wins":[3927,255,2962]},"cost":{"train":379.49,"merge":0,"other":5.44,"peak":700},"gaps":[]},
{"id":"33f187","backbone":"\u2013","method":"abxi","label":"abxi (released recipe)","page":"abxi","recipe":"released","seeds":[3407],"wanted":3,"values":{"MRR":{"food":[0.153399,null,[0.153399]],"kitchen":[0.102898,null,[0.102898]],"mean":[0.128148,null,[0.128148]]},"NDCG@10":{"food":[0.179596,null,[0.179596]],"kitchen":[0.121501,null,[0.121501]],"mean":[0.150549,null,[0.150549]]},"HR@5":{"food":[0.231501,null,[0.231501]],"kitchen":[0.147725,null,[0.147725]],"mean":[0.189613,null,[0.189613]]},"HR@10":{"food":[0.286069,null,[0.286069]],"kitchen":[0.211852,null,[0.211852]],"mean":[0.24896,null,[0.24896]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":0.00554061,"relative":0.0451897,"methods":null,"models":[0.00116562,0.0099156],"bootstrap":[0.00125077,0.00995068],"p":null,"dz":0.0317087,"wins":[3477,514,3153]},"cost":{"train":1530.03,"merge":0,"other":5.49,"peak":952},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1]}]},
{"id":"357d71","backbone":"\u2013","method":"merit","label":"merit (paper recipe)","page":"merit","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.156658,[0.15113,0.162186],[0.15847,0.154174,0.15733]],"kitchen":[0.119146,[0.114616,0.123676],[0.121134,0.117551,0.118752]],"mean":[0.137902,[0.133,0.142804],[0.139802,0.135863,0.138041]]},"NDCG@10":{"food":[0.186587,[0.181136,0.192037],[0.188101,0.18407,0.187589]],"kitchen":[0.141446,[0.135801,0.14709],[0.144045,0.140454,0.139838]],"mean":[0.164016,[0.159238,0.168794],[0.166073,0.162262,0.163713]]},"HR@5":{"food":[0.242662,[0.23371,0.251615],[0.241009,0.246796,0.240182]],"kitchen":[0.171781,[0.157418,0.186144],[0.178201,0.170159,0.166984]],"mean":[0.207222,[0.199269,0.215174],[0.209605,0.208477,0.203583]]},"HR@10":{"food":[0.305498,[0.29831,0.312687],[0.305498,0.302604,0.308392]],"kitchen":[0.244092,[0.234223,0.25396],[0.247619,0.244868,0.239788]],"mean":[0.274795,[0.270975,0.278615],[0.276559,0.273736,0.27409]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":0.0161521,"relative":0.132666,"methods":[0.00939582,0.0229084],"models":[0.0125884,0.0197157],"bootstrap":[0.00756638,0.0238133],"p":0.0672479,"dz":0.111146,"wins":[4098,238,2808]},"cost":{"train":903.72,"merge":0,"other":9.31,"peak":747},"gaps":[]},
{"id":"6faf64","backbone":"\u2013","method":"merit","label":"merit (computes=released; released recipe)","page":"merit","recipe":"released","seeds":[3407],"wanted":3,"values":{"MRR":{"food":[0.144692,null,[0.144692]],"kitchen":[0.096556,null,[0.096556]],"mean":[0.120624,null,[0.120624]]},"NDCG@10":{"food":[0.171905,null,[0.171905]],"kitchen":[0.115632,null,[0.115632]],"mean":[0.143769,null,[0.143769]]},"HR@5":{"food":[0.221579,null,[0.221579]],"kitchen":[0.13672,null,[0.13672]],"mean":[0.179149,null,[0.179149]]},"HR@10":{"food":[0.281108,null,[0.281108]],"kitchen":[0.209312,null,[0.209312]],"mean":[0.24521,null,[0.24521]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00198368,"relative":-0.0161791,"methods":null,"models":[-0.00603721,0.00206986],"bootstrap":[-0.00577221,0.00191773],"p":null,"dz":-0.0122289,"wins":[3481,545,3118]},"cost":{"train":2078.98,"merge":0,"other":8.95,"peak":1441},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1]}]}
]
},
{
"track":"food-kitchen",
"protocol":"mixed-merit",
"domains":[
"food",
"kitchen"
],
"card":[
["dataset","amazon-merit"],
["domains","food, kitchen"],
["source of the shared base","none"],
["split","leave-one-out on the latest 50 events of users with 5 in each domain: MERIT's, full ranking (last=50, least_each=5, min_length=3, scope=mixed)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","food 2419, kitchen 4725"],
["seeds","0, 1, 3407"]
],
"reference":null,
"compared":[
{"metric":"MRR","id":"761348","label":"sasrec-dt (paper recipe)","mean":0.0257789}
],
"across":{
"metric":"MRR",
"rows":[["ca1c7c",7.0,7.0,7.0],["895e47",5.0,3.5,5.0],["449f30",6.0,6.0,6.0],["ab3353",4.0,2.5,4.5],["761348",2.5,1.5,3.5],["99f41c",2.5,1.5,3.5],["357d71",1.0,1.0,2.5]],
"groups":[[1,3,4,5,6],[2],[0]],
"said":"too few domains for a Friedman test: 2 of at least 8",
"difference":null,
"left":4
},
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","seeds":[],"wanted":0,"values":{"MRR":{"food":[0.00340293,null,[0.00340293]],"kitchen":[0.00345829,null,[0.00345829]],"mean":[0.00343061,null,[0.00343061]]},"NDCG@10":{"food":[0.00160115,null,[0.00160115]],"kitchen":[0.00301591,null,[0.00301591]],"mean":[0.00230853,null,[0.00230853]]},"HR@5":{"food":[0.00165358,null,[0.00165358]],"kitchen":[0.00169312,null,[0.00169312]],"mean":[0.00167335,null,[0.00167335]]},"HR@10":{"food":[0.00330715,null,[0.00330715]],"kitchen":[0.00719577,null,[0.00719577]],"mean":[0.00525146,null,[0.00525146]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.0223483,"relative":-0.866922,"methods":[-0.0251048,-0.0195918],"models":[-0.0248785,-0.0198181],"bootstrap":[-0.0256637,-0.0192151],"p":0.0026756,"dz":-0.228507,"wins":[2242,4,4898]},"cost":{"train":0.04,"merge":0,"other":1.38,"peak":485},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","seeds":[],"wanted":0,"values":{"MRR":{"food":[0.0281846,null,[0.0281846]],"kitchen":[0.013096,null,[0.013096]],"mean":[0.0206403,null,[0.0206403]]},"NDCG@10":{"food":[0.0324263,null,[0.0324263]],"kitchen":[0.0144636,null,[0.0144636]],"mean":[0.023445,null,[0.023445]]},"HR@5":{"food":[0.0367921,null,[0.0367921]],"kitchen":[0.0169312,null,[0.0169312]],"mean":[0.0268616,null,[0.0268616]]},"HR@10":{"food":[0.0541546,null,[0.0541546]],"kitchen":[0.0249735,null,[0.0249735]],"mean":[0.0395641,null,[0.0395641]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00513861,"relative":-0.199334,"methods":[-0.00815672,-0.0021205],"models":[-0.00796025,-0.00231697],"bootstrap":[-0.00868357,-0.00169625],"p":0.0385136,"dz":-0.0473541,"wins":[2458,15,4671]},"cost":{"train":0.15,"merge":0,"other":6.77,"peak":369},"gaps":[]},
{"id":"449f30","backbone":"\u2013","method":"nearest-id","label":"nearest-id","page":"nearest-id","recipe":"fixed","seeds":[],"wanted":0,"values":{"MRR":{"food":[0.0179313,null,[0.0179313]],"kitchen":[0.0066171,null,[0.0066171]],"mean":[0.0122742,null,[0.0122742]]},"NDCG@10":{"food":[0.0221998,null,[0.0221998]],"kitchen":[0.00619116,null,[0.00619116]],"mean":[0.0141955,null,[0.0141955]]},"HR@5":{"food":[0.0256304,null,[0.0256304]],"kitchen":[0.00761905,null,[0.00761905]],"mean":[0.0166247,null,[0.0166247]]},"HR@10":{"food":[0.0421662,null,[0.0421662]],"kitchen":[0.0101587,null,[0.0101587]],"mean":[0.0261625,null,[0.0261625]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.0135047,"relative":-0.523866,"methods":[-0.0166993,-0.0103101],"models":[-0.0165188,-0.0104906],"bootstrap":[-0.0170888,-0.0099595],"p":0.00598529,"dz":-0.115466,"wins":[2342,0,4802]},"cost":{"train":0.05,"merge":0,"other":2.67,"peak":449},"gaps":[]},
{"id":"ab3353","backbone":"\u2013","method":"sasrec-st","label":"sasrec-st (paper recipe)","page":"sasrec-st","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.0313332,[0.0282344,0.034432],[0.0308417,0.0327515,0.0304064]],"kitchen":[0.0149008,[0.0125864,0.0172152],[0.0153141,0.013834,0.0155543]],"mean":[0.023117,[0.02272,0.023514],[0.0230779,0.0232928,0.0229804]]},"NDCG@10":{"food":[0.0352135,[0.0321469,0.0382801],[0.036134,0.0356957,0.0338107]],"kitchen":[0.0153679,[0.011787,0.0189487],[0.0166959,0.0138348,0.0155729]],"mean":[0.0252907,[0.0228702,0.0277111],[0.026415,0.0247653,0.0246918]]},"HR@5":{"food":[0.0432686,[0.0399675,0.0465697],[0.0442332,0.0438198,0.0417528]],"kitchen":[0.018836,[0.0122484,0.0254235],[0.0215873,0.0162963,0.0186243]],"mean":[0.0310523,[0.0270519,0.0350526],[0.0329102,0.030058,0.0301886]]},"HR@10":{"food":[0.070277,[0.0604807,0.0800732],[0.0748243,0.06821,0.0677966]],"kitchen":[0.0311817,[0.0212295,0.0411338],[0.0357672,0.0283598,0.029418]],"mean":[0.0507293,[0.0408973,0.0605614],[0.0552958,0.0482849,0.0486073]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00266192,"relative":-0.10326,"methods":[-0.0050734,-0.000250445],"models":[-0.00465081,-0.000673037],"bootstrap":[-0.00593827,0.000417559],"p":0.255225,"dz":-0.0350968,"wins":[3413,18,3713]},"cost":{"train":300.12,"merge":0,"other":1.85,"peak":694},"gaps":[]},
{"id":"761348","backbone":"\u2013","method":"sasrec-dt","label":"sasrec-dt (paper recipe)","page":"sasrec-dt","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.0332192,[0.0301966,0.0362418],[0.0334458,0.031905,0.0343067]],"kitchen":[0.0183387,[0.0168348,0.0198426],[0.0178448,0.0181571,0.0190141]],"mean":[0.0257789,[0.0237349,0.0278229],[0.0256453,0.0250311,0.0266604]]},"NDCG@10":{"food":[0.0369473,[0.0350075,0.038887],[0.0368015,0.0362496,0.0377907]],"kitchen":[0.0190831,[0.0181917,0.0199745],[0.0189974,0.0187749,0.019477]],"mean":[0.0280152,[0.0265999,0.0294304],[0.0278995,0.0275122,0.0286339]]},"HR@5":{"food":[0.0447843,[0.0397186,0.0498501],[0.0434064,0.0438198,0.0471269]],"kitchen":[0.0232804,[0.0206517,0.0259091],[0.0243386,0.0222222,0.0232804]],"mean":[0.0340324,[0.0312996,0.0367652],[0.0338725,0.033021,0.0352037]]},"HR@10":{"food":[0.0741353,[0.0715509,0.0767197],[0.0731707,0.0752377,0.0739975]],"kitchen":[0.0375309,[0.0349374,0.0401243],[0.0387302,0.037037,0.0368254]],"mean":[0.0558331,[0.0548968,0.0567694],[0.0559504,0.0561374,0.0554115]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"baseline","cost":{"train":240.57,"merge":0,"other":2.06,"peak":694},"gaps":[]},
{"id":"b8dabe","backbone":"\u2013","method":"bert4rec-st","label":"bert4rec-st (paper recipe)","page":"bert4rec-st","recipe":"paper","seeds":[3407],"wanted":3,"values":{"MRR":{"food":[0.0260709,null,[0.0260709]],"kitchen":[0.0148069,null,[0.0148069]],"mean":[0.0204389,null,[0.0204389]]},"NDCG@10":{"food":[0.0294115,null,[0.0294115]],"kitchen":[0.0152207,null,[0.0152207]],"mean":[0.0223161,null,[0.0223161]]},"HR@5":{"food":[0.0347251,null,[0.0347251]],"kitchen":[0.018836,null,[0.018836]],"mean":[0.0267805,null,[0.0267805]]},"HR@10":{"food":[0.0607689,null,[0.0607689]],"kitchen":[0.0302646,null,[0.0302646]],"mean":[0.0455167,null,[0.0455167]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00520644,"relative":-0.203017,"methods":null,"models":[-0.00786806,-0.00254482],"bootstrap":[-0.00785764,-0.00245829],"p":null,"dz":-0.0506088,"wins":[3387,33,3724]},"cost":{"train":299.38,"merge":0,"other":1.96,"peak":1282},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1]}]},
{"id":"49921a","backbone":"\u2013","method":"bert4rec-dt","label":"bert4rec-dt (paper recipe)","page":"bert4rec-dt","recipe":"paper","seeds":[3407,0],"wanted":3,"values":{"MRR":{"food":[0.0313127,[0.0266981,0.0359273],[0.0316758,0.0309495]],"kitchen":[0.0164014,[0.00870053,0.0241022],[0.0170074,0.0157953]],"mean":[0.023857,[0.0176993,0.0300148],[0.0243416,0.0233724]]},"NDCG@10":{"food":[0.0336188,[0.0285616,0.0386759],[0.0340168,0.0332207]],"kitchen":[0.0165906,[0.00963957,0.0235416],[0.0171377,0.0160435]],"mean":[0.0251047,[0.0191006,0.0311088],[0.0255772,0.0246321]]},"HR@5":{"food":[0.0394791,[0.0368528,0.0421055],[0.0392724,0.0396858]],"kitchen":[0.0204233,[0.0190787,0.0217679],[0.0205291,0.0203175]],"mean":[0.0299512,[0.0293103,0.0305921],[0.0299008,0.0300016]]},"HR@10":{"food":[0.0663497,[0.0532181,0.0794814],[0.0673832,0.0653162]],"kitchen":[0.0331217,[0.0183314,0.047912],[0.0342857,0.0319577]],"mean":[0.0497357,[0.0357747,0.0636967],[0.0508345,0.048637]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00148118,"relative":-0.0584563,"methods":[-0.00433254,0.00137019],"models":[-0.00399675,0.00103439],"bootstrap":[-0.00496583,0.00194819],"p":1,"dz":-0.0151214,"wins":[3362,10,3772]},"cost":{"train":449.58,"merge":0,"other":2.28,"peak":706},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[1]}]},
{"id":"8abf09","backbone":"\u2013","method":"cd-sasrec","label":"cd-sasrec (paper recipe)","page":"cd-sasrec","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"5db586","backbone":"\u2013","method":"cd-asr","label":"cd-asr (paper recipe)","page":"cd-asr","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"35c669","backbone":"\u2013","method":"mgcl","label":"mgcl (paper recipe)","page":"mgcl","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"92cdfc","backbone":"\u2013","method":"c2dsr","label":"c2dsr (paper recipe)","page":"c2dsr","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"37ac52","backbone":"\u2013","method":"dream","label":"dream (paper recipe)","page":"dream","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"99f41c","backbone":"\u2013","method":"abxi","label":"abxi (paper recipe)","page":"abxi","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.0318652,[0.0311077,0.0326227],[0.0322124,0.0316407,0.0317426]],"kitchen":[0.0189158,[0.0177231,0.0201086],[0.0186956,0.0194666,0.0185853]],"mean":[0.0253905,[0.0248876,0.0258934],[0.025454,0.0255536,0.0251639]]},"NDCG@10":{"food":[0.0369875,[0.0352635,0.0387116],[0.036188,0.0374354,0.0373391]],"kitchen":[0.0199081,[0.0178722,0.021944],[0.0197298,0.0208021,0.0191923]],"mean":[0.0284478,[0.0269549,0.0299407],[0.0279589,0.0291188,0.0282657]]},"HR@5":{"food":[0.0476781,[0.0435278,0.0518284],[0.0458867,0.0479537,0.0491939]],"kitchen":[0.024903,[0.0223096,0.0274964],[0.0253968,0.0256085,0.0237037]],"mean":[0.0362906,[0.0348351,0.037746],[0.0356418,0.0367811,0.0364488]]},"HR@10":{"food":[0.0796472,[0.0718715,0.087423],[0.0760645,0.0810252,0.081852]],"kitchen":[0.0407055,[0.0359641,0.0454469],[0.0408466,0.0425397,0.0387302]],"mean":[0.0601764,[0.0560367,0.064316],[0.0584555,0.0617824,0.0602911]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00038841,"relative":-0.0150669,"methods":[-0.00270822,0.0019314],"models":[-0.00200294,0.00122612],"bootstrap":[-0.0035349,0.00253914],"p":1,"dz":-0.00614409,"wins":[4045,14,3085]},"cost":{"train":379.49,"merge":0,"other":1.89,"peak":694},"gaps":[]},
{"id":"33f187","backbone":"\u2013","method":"abxi","label":"abxi (released recipe)","page":"abxi","recipe":"released","seeds":[3407],"wanted":3,"values":{"MRR":{"food":[0.0307085,null,[0.0307085]],"kitchen":[0.0145217,null,[0.0145217]],"mean":[0.0226151,null,[0.0226151]]},"NDCG@10":{"food":[0.0377541,null,[0.0377541]],"kitchen":[0.0157031,null,[0.0157031]],"mean":[0.0267286,null,[0.0267286]]},"HR@5":{"food":[0.0500207,null,[0.0500207]],"kitchen":[0.0190476,null,[0.0190476]],"mean":[0.0345341,null,[0.0345341]]},"HR@10":{"food":[0.0859859,null,[0.0859859]],"kitchen":[0.0364021,null,[0.0364021]],"mean":[0.061194,null,[0.061194]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00303021,"relative":-0.118159,"methods":null,"models":[-0.00511808,-0.000942353],"bootstrap":[-0.00502643,-0.00102119],"p":null,"dz":-0.0372019,"wins":[3688,76,3380]},"cost":{"train":1530.03,"merge":0,"other":1.6,"peak":952},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1]}]},
{"id":"357d71","backbone":"\u2013","method":"merit","label":"merit (paper recipe)","page":"merit","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.0332596,[0.0312528,0.0352663],[0.0324285,0.0340419,0.0333084]],"kitchen":[0.0219422,[0.0208388,0.0230455],[0.0216316,0.0217439,0.0224509]],"mean":[0.0276009,[0.0263727,0.028829],[0.02703,0.0278929,0.0278797]]},"NDCG@10":{"food":[0.0368714,[0.0345774,0.0391654],[0.0358222,0.037561,0.037231]],"kitchen":[0.0234052,[0.0218613,0.0249491],[0.0237812,0.0226878,0.0237466]],"mean":[0.0301383,[0.0292843,0.0309923],[0.0298017,0.0301244,0.0304888]]},"HR@5":{"food":[0.0457489,[0.0421425,0.0493554],[0.0458867,0.0471269,0.0442332]],"kitchen":[0.0279365,[0.0252047,0.0306684],[0.0292063,0.0273016,0.0273016]],"mean":[0.0368427,[0.0344928,0.0391927],[0.0375465,0.0372142,0.0357674]]},"HR@10":{"food":[0.0775803,[0.07343,0.0817305],[0.0756511,0.0785449,0.0785449]],"kitchen":[0.0465608,[0.0404977,0.052624],[0.0491005,0.0442328,0.0463492]],"mean":[0.0620706,[0.0606013,0.0635398],[0.0623758,0.0613888,0.062447]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":0.00182194,"relative":0.0706755,"methods":[-0.000303154,0.00394703],"models":[0.000125279,0.0035186],"bootstrap":[-0.000904252,0.00484519],"p":0.468954,"dz":0.0265365,"wins":[4194,10,2940]},"cost":{"train":903.72,"merge":0,"other":5.84,"peak":747},"gaps":[]},
{"id":"6faf64","backbone":"\u2013","method":"merit","label":"merit (computes=released; released recipe)","page":"merit","recipe":"released","seeds":[3407],"wanted":3,"values":{"MRR":{"food":[0.0319464,null,[0.0319464]],"kitchen":[0.0143733,null,[0.0143733]],"mean":[0.0231599,null,[0.0231599]]},"NDCG@10":{"food":[0.037288,null,[0.037288]],"kitchen":[0.0154675,null,[0.0154675]],"mean":[0.0263778,null,[0.0263778]]},"HR@5":{"food":[0.0471269,null,[0.0471269]],"kitchen":[0.0190476,null,[0.0190476]],"mean":[0.0330873,null,[0.0330873]]},"HR@10":{"food":[0.0793716,null,[0.0793716]],"kitchen":[0.0349206,null,[0.0349206]],"mean":[0.0571461,null,[0.0571461]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"verdict":"undecided","difference":{"family":0,"mean":-0.00248546,"relative":-0.0969167,"methods":null,"models":[-0.0043821,-0.000588816],"bootstrap":[-0.00431805,-0.000633851],"p":null,"dz":-0.0337834,"wins":[3712,69,3363]},"cost":{"train":2078.98,"merge":0,"other":5.12,"peak":1441},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1]}]}
]
},
{
"track":"ablation-food-kitchen",
"protocol":"mixed-merit-sampled-999",
"domains":[
"food",
"kitchen"
],
"card":[
["dataset","amazon-merit"],
["domains","food, kitchen"],
["source of the shared base","none"],
["split","leave-one-out on the latest 50 events of users with 5 in each domain: MERIT's, 999 sampled negatives (last=50, least_each=5, min_length=3, scope=mixed)"],
["ranked against","999 sampled candidates, seed 2026, set `24668db41a8b0dfa`"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","food 2419, kitchen 4725"],
["seeds","0, 1, 3407"]
],
"reference":null,
"compared":[],
"across":null,
"rows":[
{"id":"780d34","backbone":"\u2013","method":"merit","label":"merit (whole; paper recipe)","page":"merit","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.156658,[0.15113,0.162186],[0.15847,0.154174,0.15733]],"kitchen":[0.119146,[0.114616,0.123676],[0.121134,0.117551,0.118752]],"mean":[0.137902,[0.133,0.142804],[0.139802,0.135863,0.138041]]},"NDCG@10":{"food":[0.186587,[0.181136,0.192037],[0.188101,0.18407,0.187589]],"kitchen":[0.141446,[0.135801,0.14709],[0.144045,0.140454,0.139838]],"mean":[0.164016,[0.159238,0.168794],[0.166073,0.162262,0.163713]]},"HR@5":{"food":[0.242662,[0.23371,0.251615],[0.241009,0.246796,0.240182]],"kitchen":[0.171781,[0.157418,0.186144],[0.178201,0.170159,0.166984]],"mean":[0.207222,[0.199269,0.215174],[0.209605,0.208477,0.203583]]},"HR@10":{"food":[0.305498,[0.29831,0.312687],[0.305498,0.302604,0.308392]],"kitchen":[0.244092,[0.234223,0.25396],[0.247619,0.244868,0.239788]],"mean":[0.274795,[0.270975,0.278615],[0.276559,0.273736,0.27409]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":{"train":903.72,"merge":0,"other":9.31,"peak":747},"gaps":[]},
{"id":"eb59d6","backbone":"\u2013","method":"merit","label":"merit (SF1; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"645320","backbone":"\u2013","method":"merit","label":"merit (SF2; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"116f28","backbone":"\u2013","method":"merit","label":"merit (SF3; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"41bc11","backbone":"\u2013","method":"merit","label":"merit (SF4; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"42de18","backbone":"\u2013","method":"merit","label":"merit (FF1; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"e2f3ac","backbone":"\u2013","method":"merit","label":"merit (MF1; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"efe344","backbone":"\u2013","method":"merit","label":"merit (MF2; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"267d87","backbone":"\u2013","method":"merit","label":"merit (RL1; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"37f76f","backbone":"\u2013","method":"merit","label":"merit (RL2; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]}
]
},
{
"track":"ablation-food-kitchen",
"protocol":"mixed-merit",
"domains":[
"food",
"kitchen"
],
"card":[
["dataset","amazon-merit"],
["domains","food, kitchen"],
["source of the shared base","none"],
["split","leave-one-out on the latest 50 events of users with 5 in each domain: MERIT's, full ranking (last=50, least_each=5, min_length=3, scope=mixed)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","food 2419, kitchen 4725"],
["seeds","0, 1, 3407"]
],
"reference":null,
"compared":[],
"across":null,
"rows":[
{"id":"780d34","backbone":"\u2013","method":"merit","label":"merit (whole; paper recipe)","page":"merit","recipe":"paper","seeds":[3407,0,1],"wanted":3,"values":{"MRR":{"food":[0.0332596,[0.0312528,0.0352663],[0.0324285,0.0340419,0.0333084]],"kitchen":[0.0219422,[0.0208388,0.0230455],[0.0216316,0.0217439,0.0224509]],"mean":[0.0276009,[0.0263727,0.028829],[0.02703,0.0278929,0.0278797]]},"NDCG@10":{"food":[0.0368714,[0.0345774,0.0391654],[0.0358222,0.037561,0.037231]],"kitchen":[0.0234052,[0.0218613,0.0249491],[0.0237812,0.0226878,0.0237466]],"mean":[0.0301383,[0.0292843,0.0309923],[0.0298017,0.0301244,0.0304888]]},"HR@5":{"food":[0.0457489,[0.0421425,0.0493554],[0.0458867,0.0471269,0.0442332]],"kitchen":[0.0279365,[0.0252047,0.0306684],[0.0292063,0.0273016,0.0273016]],"mean":[0.0368427,[0.0344928,0.0391927],[0.0375465,0.0372142,0.0357674]]},"HR@10":{"food":[0.0775803,[0.07343,0.0817305],[0.0756511,0.0785449,0.0785449]],"kitchen":[0.0465608,[0.0404977,0.052624],[0.0491005,0.0442328,0.0463492]],"mean":[0.0620706,[0.0606013,0.0635398],[0.0623758,0.0613888,0.062447]]}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":{"train":903.72,"merge":0,"other":5.84,"peak":747},"gaps":[]},
{"id":"eb59d6","backbone":"\u2013","method":"merit","label":"merit (SF1; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"645320","backbone":"\u2013","method":"merit","label":"merit (SF2; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"116f28","backbone":"\u2013","method":"merit","label":"merit (SF3; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"41bc11","backbone":"\u2013","method":"merit","label":"merit (SF4; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"42de18","backbone":"\u2013","method":"merit","label":"merit (FF1; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"e2f3ac","backbone":"\u2013","method":"merit","label":"merit (MF1; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"efe344","backbone":"\u2013","method":"merit","label":"merit (MF2; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"267d87","backbone":"\u2013","method":"merit","label":"merit (RL1; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]},
{"id":"37f76f","backbone":"\u2013","method":"merit","label":"merit (RL2; paper recipe)","page":"merit","recipe":"paper","seeds":[],"wanted":3,"values":{"MRR":{},"NDCG@10":{},"HR@5":{},"HR@10":{}},"shares":{"MRR":null,"NDCG@10":null,"HR@5":null,"HR@10":null},"cost":null,"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,3407]}]}
]
}
],
"figures":[
{
"name":"ablation",
"title":"Ablations of MERIT",
"x":"",
"ticks":[
"merit (whole; paper recipe)"
],
"panels":[
{"name":"MRR, food","series":[{"name":"mixed-merit-sampled-999","points":[[0,0.156658,0.00222531,3]]},{"name":"mixed-merit","points":[[0,0.0332596,0.000807821,3]]}]},
{"name":"MRR, kitchen","series":[{"name":"mixed-merit-sampled-999","points":[[0,0.119146,0.00182344,3]]},{"name":"mixed-merit","points":[[0,0.0219422,0.000444171,3]]}]}
]
},
{
"name":"comparison",
"title":"MRR by domain on Food-Kitchen",
"x":"",
"ticks":[
"popularity (fixed recipe)",
"last-item (fixed recipe)",
"nearest-id (fixed recipe)",
"sasrec-st (paper recipe)",
"sasrec-dt (paper recipe)",
"bert4rec-st (paper recipe)",
"bert4rec-dt (paper recipe)",
"abxi (paper recipe)",
"abxi (released recipe)",
"merit (paper recipe)",
"merit (computes=released; released recipe)"
],
"panels":[
{"name":"MRR, food","series":[{"name":"mixed-merit-sampled-999","points":[[0,0.0277574,null,1],[1,0.074848,null,1],[2,0.0565433,null,1],[3,0.134646,0.00305837,3],[4,0.14358,0.00110342,3],[5,0.116752,null,1],[6,0.132759,0.00370933,2],[7,0.15189,0.00228058,3],[8,0.153399,null,1],[9,0.156658,0.00222531,3],[10,0.144692,null,1]]},{"name":"mixed-merit","points":[[0,0.00340293,null,1],[1,0.0281846,null,1],[2,0.0179313,null,1],[3,0.0313332,0.00124744,3],[4,0.0332192,0.00121676,3],[5,0.0260709,null,1],[6,0.0313127,0.000513612,2],[7,0.0318652,0.000304948,3],[8,0.0307085,null,1],[9,0.0332596,0.000807821,3],[10,0.0319464,null,1]]}]},
{"name":"MRR, kitchen","series":[{"name":"mixed-merit-sampled-999","points":[[0,0.0286885,null,1],[1,0.0466814,null,1],[2,0.0336134,null,1],[3,0.0898409,0.00474398,3],[4,0.0999195,0.00280638,3],[5,0.0841732,null,1],[6,0.0954047,0.00464997,2],[7,0.109548,0.00124545,3],[8,0.102898,null,1],[9,0.119146,0.00182344,3],[10,0.096556,null,1]]},{"name":"mixed-merit","points":[[0,0.00345829,null,1],[1,0.013096,null,1],[2,0.0066171,null,1],[3,0.0149008,0.000931678,3],[4,0.0183387,0.000605403,3],[5,0.0148069,null,1],[6,0.0164014,0.000857112,2],[7,0.0189158,0.000480153,3],[8,0.0145217,null,1],[9,0.0219422,0.000444171,3],[10,0.0143733,null,1]]}]}
]
},
{
"name":"gates",
"title":"Gates on Food-Kitchen (MERIT, Fig. 7)",
"x":"",
"ticks":[
"gate food to food",
"gate food to kitchen",
"gate food to mixed",
"gate kitchen to food",
"gate kitchen to kitchen",
"gate kitchen to mixed",
"gate mixed to food",
"gate mixed to kitchen",
"gate mixed to mixed"
],
"panels":[
{"name":"food targets","series":[{"name":"merit (paper recipe)","points":[[0,0.509549,0.276154,3],[1,0.466467,0.0574138,3],[2,0.420743,0.103471,3],[3,0.483651,0.142099,3],[4,0.52301,0.28985,3],[5,0.497514,0.0893311,3],[6,0.371893,0.115635,3],[7,0.395989,0.145945,3],[8,0.441064,0.287719,3]]},{"name":"merit (computes=released; released recipe)","points":[[0,0.591208,0.228248,1],[1,0.504772,0.0151512,1],[2,0.553906,0.233295,1],[3,0.499855,0.0170117,1],[4,0.689562,0.157409,1],[5,0.295385,0.193599,1],[6,0.503855,0.165066,1],[7,0.532253,0.244662,1],[8,0.493247,0.303472,1]]}]},
{"name":"kitchen targets","series":[{"name":"merit (paper recipe)","points":[[0,0.50665,0.276816,3],[1,0.466839,0.0564178,3],[2,0.417479,0.10501,3],[3,0.473676,0.142807,3],[4,0.54644,0.295475,3],[5,0.499067,0.0881295,3],[6,0.366582,0.113226,3],[7,0.393224,0.146283,3],[8,0.443745,0.281838,3]]},{"name":"merit (computes=released; released recipe)","points":[[0,0.590978,0.225958,1],[1,0.50346,0.015335,1],[2,0.570387,0.233231,1],[3,0.49941,0.0175789,1],[4,0.701516,0.153184,1],[5,0.300343,0.193578,1],[6,0.512104,0.162362,1],[7,0.536672,0.242139,1],[8,0.508103,0.297884,1]]}]}
]
}
]
});
